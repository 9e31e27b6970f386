"""The ledger: every statement of the notes belongs to one lesson, and what a notebook claims to show exists."""

from collections import Counter

import pytest

from kit.course import data, syllabus
from kit.course.claims import by_lesson, claims, corrections, coverage, status


def test_the_ledger_holds_every_statement_of_the_notes_once():
    ids = Counter(claim.id for claim in claims())
    assert len(ids) == 1028 and set(ids.values()) == {1}


def test_every_statement_has_its_fields():
    for claim in claims():
        assert claim.claim and claim.show and claim.service
        assert claim.status in ("true", "imprecise", "outdated", "wrong")
        assert claim.kind in ("concept", "behaviour", "api", "figure", "limit", "history", "opinion")
        assert bool(claim.truth) == (claim.status != "true"), f"{claim.id}: what is right today?"


def test_every_chapter_is_a_file_of_its_own():
    for path in (data.FOLDER / "claims").glob("*.yaml"):
        assert {claim["chapter"] for claim in data.load(f"claims/{path.name}")} == {path.stem}


def test_every_claim_belongs_to_exactly_one_lesson():
    found = Counter(claim.id for mine in by_lesson().values() for claim in mine)
    assert len(found) == 1028 and set(found.values()) == {1}
    services = Counter(service for lesson in syllabus.lessons() for service in lesson.services)
    assert set(services.values()) == {1}
    single = Counter(claim for lesson in syllabus.lessons() for claim in lesson.claims)
    assert set(single.values()) == {1} and set(single) <= {claim.id for claim in claims()}


def test_the_services_that_spread_over_the_lessons_are_given_out_one_by_one():
    for service in ("AWS service map", "Service index"):
        homes = {name for name, mine in by_lesson().items() for claim in mine if claim.service == service}
        assert len(homes) > 5


def test_the_first_three_lessons_have_the_claims_of_their_chapters():
    found = {name: Counter((claim.chapter, claim.service) for claim in mine) for name, mine in by_lesson().items()}
    assert found["02_identity"] == {("iam", "IAM"): 24, ("iam", "AWS account"): 6, ("security", "IAM root user"): 1,
                                    ("security", "Root User"): 14}
    assert {chapter for chapter, _ in found["09_load_balancing"]} == {"load-balancing"}
    assert sum(found["09_load_balancing"].values()) == sum(claim.chapter == "load-balancing" for claim in claims())
    assert found["18_messaging"] == {("integration", "SNS"): 16, ("integration", "SQS"): 21,
                                     ("integration", "Amazon MQ"): 18, ("integration", "Service index"): 1}


def test_claims_are_found_by_service_and_by_id():
    assert {claim.service for claim in claims("SQS")} == {"SQS"}
    assert [claim.id for claim in claims(["sqs-02", "sqs-01"])] == ["sqs-01", "sqs-02"]
    with pytest.raises(ValueError, match="no service and no claim 'SQSS'.*near it are.*SQS"):
        claims("SQSS")


def test_corrections_say_what_the_notes_say_what_is_so_and_where_it_stands():
    shown = corrections("SQS", "service-index-08")
    assert len(shown) == sum(claim.status != "true" for claim in claims("SQS")) + 1
    first = shown.claims[0]
    assert f"The notes say: {first.claim}\nToday: {first.truth}" in repr(shown)
    assert "Source: " in repr(corrections("Sumerian"))
    assert repr(corrections("sqs-01")) == "Nothing in the notes needs correcting."
    with pytest.raises(ValueError, match="say of which services"):
        corrections()


def test_a_source_that_the_correction_names_already_is_not_told_twice():
    (claim,) = claims("iam-22")
    assert claim.source in claim.truth
    assert "Source:" not in repr(corrections("iam-22"))
    assert repr(corrections("map-39")).endswith(f"Source: {claims('map-39')[0].source}")


def test_the_three_parts_of_a_correction_are_told_apart_at_a_glance():
    shown = corrections("map-39")._repr_html_()
    assert [shown.count(f"<strong>{label}:</strong>") for label in ("The notes say", "Today", "Source")] == [1, 1, 1]


def test_the_ledger_speaks_of_aws_and_not_of_the_desk_it_was_written_at():
    """What could not be opened on the day of writing is no fact about AWS."""
    for claim in claims():
        told = f"{claim.truth} {claim.source}".casefold()
        assert not any(words in told for words in ("could not be", "couldn't be", "opened here", "read here", "secondary source"))


def test_corrections_as_html_hide_no_sign():
    html = corrections(*{claim.service for claim in claims()})._repr_html_()
    assert html.count("<li>") == html.count("</li>") == len(corrections(*{claim.service for claim in claims()}))
    text = html
    for tag in ("ul", "li", "p", "span", "strong"):
        text = text.replace(f"<{tag}>", "").replace(f"</{tag}>", "")
    assert "<" not in text.replace("<br>", "")


def notebook(cells, path, *marks, source="corrections(\"SQS\", \"sns-01\")"):
    return cells.write(path / "18_messaging.ipynb", [cells.code(source, metadata=mark) for mark in marks])


def test_coverage_counts_what_cells_show_and_correct(tmp_path, cells):
    notebook(cells, tmp_path, {"claims": ["sqs-01", "sns-01"]}, {"corrects": ["SQS"]}, {"claims": ["ec2-01"]})
    found = coverage(tmp_path)
    messaging = found["18_messaging"]
    wrong = [claim.id for claim in claims("SQS") if claim.status != "true"]
    assert set(messaging.shown) == {"sqs-01", "sns-01"} and list(messaging.corrected) == wrong
    assert len(messaging.missing) == 56 - len({*wrong, "sqs-01", "sns-01"})
    assert messaging.percent == pytest.approx(100 * (1 - len(messaging.missing) / 56))
    sns = next(part for part in messaging.services if part.name == "SNS")
    assert sns.shown == ("sns-01",) and len(sns.missing) == 15
    assert found["03_servers"].shown == (), "another lesson's claim counts there only"
    assert set(found) == {lesson.name for lesson in syllabus.lessons()}


def test_a_lesson_without_claims_is_covered_and_one_without_notebook_is_not(tmp_path):
    found = coverage(tmp_path)
    assert found["29_capstone"].percent == 100 and found["18_messaging"].percent == 0


def test_a_true_statement_is_not_covered_by_corrections(tmp_path, cells):
    notebook(cells, tmp_path, {"corrects": ["sns-01"]})
    assert claims("sns-01")[0].status == "true"
    assert coverage(tmp_path)["18_messaging"].corrected == ()


@pytest.mark.parametrize("mark, source, message", [
    ({"claims": ["sqs-99"]}, "1", "no claim sqs-99"), ({"corrects": ["SQQS"]}, 'corrections("SQQS")', "no service"),
    ({"corrects": ["SQS"]}, 'print("SQS")', "doesn't call corrections"),
    ({"corrects": ["SQS", "SNS"]}, 'corrections("SQS")', "correcting SNS, which its call doesn't name")])
def test_a_mark_that_is_none_is_named_with_notebook_and_cell(tmp_path, cells, mark, source, message):
    notebook(cells, tmp_path, mark, source=source)
    with pytest.raises(ValueError, match=f"18_messaging.ipynb, cell cell-0.*{message}"):
        coverage(tmp_path)


def test_text_cells_show_nothing(tmp_path, cells):
    cells.write(tmp_path / "18_messaging.ipynb", [cells.markdown("x", metadata={"claims": ["sqs-01"]})])
    with pytest.raises(ValueError, match="only a code cell"):
        coverage(tmp_path)


def test_every_service_of_the_ledger_has_a_status_or_is_an_idea():
    known = data.load("services.yaml")
    assert {claim.service for claim in claims()} <= {*known["services"], *known["ideas"]}
    assert not set(known["services"]) & set(known["ideas"])
    for service in known["services"]:
        found = status(service)
        assert found.state in ("available", "maintenance", "closed to new customers", "ended", "no AWS service")
        assert found.checked == "2026-11-23" and found.source
        assert f"{service}: {found.state}" in repr(found)


@pytest.mark.parametrize("service, state, since", [
    ("Sumerian", "ended", "2023-02-21"), ("CodeCommit", "available", "2025-11-24"),
    ("Amazon Glacier (vaults)", "closed to new customers", "2025-12-15"), ("SQS", "available", "")])
def test_what_became_of_the_doubtful_services(service, state, since):
    assert (status(service).state, status(service).since) == (state, since)


def test_a_service_without_a_status_is_answered_with_its_neighbours():
    with pytest.raises(ValueError, match="near it are.*Sumerian"):
        status("Sumeria")
