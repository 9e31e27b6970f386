"""What the learner touches: explorers, steppers, predictions, a model's source, figures."""

from kit.explore.explorer import explore
from kit.explore.panel import show_figures_in_notebooks
from kit.explore.prediction import predict
from kit.explore.source import source
from kit.explore.stepper import step_through

__all__ = ["explore", "predict", "source", "step_through"]

show_figures_in_notebooks()
