"""Found first by every Python program that a sealed process starts (its PYTHONPATH says so): it is sealed as well."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

_spec = spec_from_file_location("kit_lab_seal", Path(__file__).parents[1] / "seal.py")
_seal = module_from_spec(_spec)
_spec.loader.exec_module(_seal)
_seal.seal()
