"""What A Cloud Guru was, and how a learning path is planned.

A Cloud Guru is no service of AWS and monitors nothing. It was a company that taught cloud computing with recorded
courses, labs and learning paths; ``HISTORY`` says what became of it, ``correction`` what the course notes should say.

A learning path is a set of modules, some of which need others first. ``order`` puts them in a line that respects that,
``plan`` says in which week each is studied:

    path = [Module("S3", 4, ["Cloud basics"]), Module("Cloud basics", 6)]
    plan(path, hours_a_week=5)

**Simplified** An hour is an hour: nobody forgets, and all learn equally fast.
**Not modelled** Spacing, repetition, exams, prices.

AWS Training and Certification: "AWS Skill Builder", "Classroom training"; AWS re:Post. The years are those of the
announcements of Linux Academy's and Pluralsight's purchases; none of these pages could be opened on 2026-11-23.
Profiles of the company's repositories ("Linux Academy and A Cloud Guru, a Pluralsight company") and of a first
employee agree.
"""

from dataclasses import dataclass

from kit.sim import Records

HISTORY = ((2015, "A Cloud Guru is founded"),
           (2019, "A Cloud Guru announces that it buys Linux Academy"),
           (2021, "Pluralsight buys A Cloud Guru"),
           (2026, "courses, labs and sandboxes are Pluralsight's; there is no A Cloud Guru to join"))

CORRECTIONS = {  # what the notes say it is -> (does it hold?, what is right)
    "a monitoring service": (False, "it taught; CloudWatch and CloudTrail monitor and record"),
    "an online platform": (False, "it was one; its content is part of Pluralsight"),
    "exam preparation": (False, "sold as Pluralsight's; AWS's own is AWS Skill Builder, and the exam guide decides"),
    "hands-on labs": (False, "they go on as Pluralsight's labs; this kit has the same aim without an account"),
    "instructor-led training": (False, "these were recorded lessons, on demand; instructor-led means live classes"),
    "community forums": (False, "they belonged to the old platform; AWS re:Post is the place to ask"),
    "mobile apps": (False, "those of Pluralsight"),
    "learning paths for all levels": (True, "a path is modules in an order that respects what needs what"),
}


@dataclass(frozen=True)
class Module:
    """hours: of study. requires: names of the modules that come first."""

    name: str
    hours: float
    requires: tuple = ()


def order(modules: list[Module]) -> list[Module]:
    """The modules, each after all that it requires; otherwise as they were given.

    ValueError: a name given twice, a requirement that is no module, or a circle, which the message names.
    """
    by_name, done, line = _by_name(modules), set(), []

    def visit(module, way):
        if module.name in way:
            circle = " -> ".join([*way[way.index(module.name):], module.name])
            raise ValueError(f"these modules wait for one another: {circle}")
        if module.name not in done:
            for name in module.requires:
                visit(by_name[name], [*way, module.name])
            done.add(module.name)
            line.append(module)

    for module in modules:
        visit(module, [])
    return line


def plan(modules: list[Module], hours_a_week: float = 5.0) -> Records:
    """module, hours, starts and ends (in weeks from the beginning), week (the first one it is studied in, from 1)."""
    if hours_a_week <= 0:
        raise ValueError(f"with {hours_a_week} hours a week nobody arrives: give more than 0")
    rows, spent = Records("module", "hours", "starts", "ends", "week"), 0.0
    for module in order(modules):
        starts, spent = spent / hours_a_week, spent + module.hours
        rows.append(module.name, module.hours, starts, spent / hours_a_week, int(starts) + 1)
    return rows


def way_to(target: str, modules: list[Module], known=()) -> list[Module]:
    """What is left to learn, in order, until ``target`` is learnt; known: names of modules that are learnt already."""
    by_name, wanted, ask = _by_name(modules), set(), [target]
    if target not in by_name:
        raise ValueError(f"there is no module {target}; there are {', '.join(by_name)}")
    line = order(modules)
    while ask:
        name = ask.pop()
        if name not in wanted and name not in known:
            wanted.add(name)
            ask += by_name[name].requires
    return [module for module in line if module.name in wanted]


def entry_points(modules: list[Module]) -> list[Module]:
    """Where one can begin: the modules that require nothing."""
    return [module for module in modules if not module.requires]


def correction(statement: str) -> str:
    """What is right about a statement of CORRECTIONS; ValueError for another one."""
    if statement not in CORRECTIONS:
        raise ValueError(f"no such statement; there are: {'; '.join(CORRECTIONS)}")
    holds, right = CORRECTIONS[statement]
    return f"A Cloud Guru, {statement}: {'true' if holds else 'not (or no longer) so'}: {right}."


def _by_name(modules: list[Module]) -> dict[str, Module]:
    by_name = {}
    for module in modules:
        if module.name in by_name:
            raise ValueError(f"two modules are called {module.name}")
        if module.hours < 0:
            raise ValueError(f"{module.name} takes {module.hours} hours: give 0 or more")
        by_name[module.name] = module
    for module in modules:
        for name in module.requires:
            if name not in by_name:
                raise ValueError(f"{module.name} requires {name}, which is no module of this path")
    return by_name
