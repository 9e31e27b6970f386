"""Every control of every lesson, by keyboard alone: the picture and its text follow, and no frame between is empty."""

# Keys that try a control and leave it as it was, if it doesn't stand at an end; and those that go through all it can be.
A_LITTLE = {"range": ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft"), "checkbox": ("Space", "Space"),
            "select-one": ("ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp")}
ALL_THE_WAY = {"range": ("End", "ArrowLeft", "Home", "ArrowRight"), "checkbox": ("Space", "Space"),
               "select-one": ("Home", *("ArrowDown",) * 9)}
DRAWN = "panel.querySelector('.kit-figure').ariaBusy === 'false' && !panel.textContent.includes('No answer from the kernel')"
LISTED = "panel.querySelector('.kit-rows').ariaBusy === 'false'"


def test_explorers_follow_each_of_their_controls(lesson):
    for panel in lesson.panels(".kit-controls"):
        explorer = Explorer(panel)
        still = [name for name in explorer.controls if not (explorer.go(name).follows(A_LITTLE) or explorer.follows(ALL_THE_WAY)
                                                            or explorer.follows_elsewhere(name))]
        assert not still, f"{panel.cell}: picture and text don't follow {still}"
        frames, empty = explorer.seen()
        assert frames and not empty, panel.cell


def test_explorers_can_be_read_at_either_end_of_each_slider(lesson):
    for panel in lesson.panels(".kit-controls"):
        for field in panel.fields("input[type=range]"):
            panel.tab_to(field)
            for key in ("End", "Home"):
                panel.press(key, until=DRAWN)
                assert panel.element.evaluate("eyes.faults") == [], f"{panel.cell} at {key}"


def test_steppers_go_where_the_keyboard_sends_them(lesson):
    for panel in lesson.panels(".kit-steps"):
        first, back, forward, last, slider = panel.fields("button, input")
        end = int(slider.get_attribute("max")) + 1
        told = []
        for field, key, place in ((forward, "Enter", min(2, end)), (last, "Space", end), (back, "Enter", max(1, end - 1)), (first, "Enter", 1),
                                  (slider, "ArrowRight", min(2, end)), (slider, "End", end), (slider, "ArrowLeft", max(1, end - 1)), (slider, "Home", 1)):
            panel.tab_to(field)
            panel.press(key)
            assert panel.text("output") == f"{place} of {end}", f"{panel.cell}: {key}"
            assert field.evaluate("(field) => field === document.activeElement"), f"{panel.cell}: the focus is gone"
            told.append(panel.text(".kit-told") + panel.text(".kit-state"))
        assert all(told) and len(set(told)) > 1, panel.cell


def test_predictions_take_an_answer_and_bear_nonsense(lesson):
    for panel in lesson.panels(".kit-prediction"):
        *answers, commit = panel.fields("input, button")
        number = answers[0].get_attribute("type") == "number"
        panel.enter()
        if number:
            for typed, told in (("abc", "Give a number first."), ("e", "Give a number first."), ("-9e99", "That did not work: give a number")):
                panel.type(typed)
                panel.press("Enter", until=f"panel.querySelector('.kit-says').textContent.startsWith('{told}')")
            panel.type(answers[0].get_attribute("min"))
        else:
            panel.tab_to(commit)
            panel.press("Enter", until="panel.querySelector('.kit-says').textContent === 'Choose one first.'")
            panel.tab_to(answers[0])
            panel.press("Space", "ArrowDown", until="panel.querySelector('input:checked')")
            panel.tab_to(commit)
        panel.press("Enter", until="/^[✓✗] ./.test(panel.querySelector('.kit-says').textContent)")
        assert panel.element.evaluate("(panel) => panel.contains(document.activeElement)"), f"{panel.cell}: the focus is gone"


def test_the_console_lists_what_is_chosen(lesson):
    for panel in lesson.panels(".kit-choices"):
        all_of_it = panel.text("table")
        for field in panel.fields("select"):
            panel.tab_to(field)
            panel.press("ArrowDown", until=LISTED)
            if len(field.query_selector_all("option")) > 2:
                assert panel.text("table") != all_of_it
            panel.press("ArrowUp", until=LISTED)
            assert panel.text("table") == all_of_it
        panel.tab_to(panel.fields(".kit-rows")[0])


def test_the_browser_complains_of_nothing_and_asks_nobody_else(lesson):
    assert lesson.errors == [] and lesson.outside == []


class Explorer:
    """An explorer, looked at in every frame from now on. controls: fields by their labels."""

    def __init__(self, panel):
        self.panel = panel
        fields = panel.fields(".kit-controls :is(input, select)")
        panel.enter()
        self.at = None  # the control that has been gone to
        self.controls = {field.evaluate("({ labels: [label] }) => label.querySelector('span').firstChild.textContent.trim()"): field
                         for field in fields}
        self._stop = panel.element.evaluate_handle("(panel) => eyes.watch(panel)")

    def go(self, name: str) -> "Explorer":
        """To a control, with one press of Tab for each control on the way."""
        names = list(self.controls)
        self.panel.tab_to(self.controls[name], most=max(1, abs(names.index(name) - names.index(self.at or name))))
        self.at = name
        return self

    def follows(self, keys: dict) -> bool:
        """Whether picture and text have changed, each at one of the keys at least."""
        field = self.controls[self.at]
        pictures, texts = zip(*[self._glance()], *(self._press(key) for key in keys[field.evaluate("(field) => field.type")]))
        return len(set(pictures)) > 1 and len(set(texts)) > 1

    def follows_elsewhere(self, name: str) -> bool:
        """Whether they do at another setting of one other control: not every control has an effect at every setting."""
        kind = {other: field.evaluate("(field) => field.type") for other, field in self.controls.items() if other != name}
        for other in sorted(kind, key=kind.get):  # tick boxes first: they are left as they were
            for key in ALL_THE_WAY[kind[other]]:
                self.go(other)._press(key)
                if self.go(name).follows(ALL_THE_WAY):
                    return True
        return False

    def seen(self) -> tuple[int, list[str]]:
        """How many frames there were, and what was missing in those that lacked something."""
        seen = self._stop.evaluate("(stop) => stop()")
        return seen["frames"], seen["empty"]

    def _press(self, key):
        self.panel.press(key, until=DRAWN)
        return self._glance()

    def _glance(self):
        return self.panel.element.evaluate("(panel) => eyes.glance(panel)")
