"""Records: rows in, columns out."""

import pytest

from kit.sim import Records, percentile


def filled():
    records = Records("time", "event", "depth")
    records.append(0.0, "sent", 1)
    records.append(1.23456, event="received", depth=None)
    return records


def test_rows_go_in_and_columns_come_out():
    records = filled()
    assert records["event"] == ["sent", "received"] and len(records) == 2
    assert records.columns == ("time", "event", "depth")
    assert records.to_dicts()[1] == {"time": 1.23456, "event": "received", "depth": None}
    assert [row["depth"] for row in records] == [1, None]


def test_where_keeps_the_rows_that_fit():
    assert filled().where(event="sent").to_dicts() == [{"time": 0.0, "event": "sent", "depth": 1}]


def test_equal_records_are_equal():
    assert filled() == filled() != Records("time", "event", "depth")


@pytest.mark.parametrize("values, named", [((1, 2), {}), ((1, 2, 3, 4), {}), ((1,), {"event": "x"}),
                                           ((1, 2, 3), {"depth": 4}), ((), {"tme": 1, "event": 2, "depth": 3})])
def test_a_row_that_does_not_fit_is_refused_and_leaves_no_trace(values, named):
    records = filled()
    with pytest.raises(ValueError, match="a row has the values time, event, depth"):
        records.append(*values, **named)
    assert len(records["time"]) == len(records["event"]) == len(records["depth"]) == 2


def test_an_unknown_column_is_named():
    with pytest.raises(KeyError, match="no column 'tiem'; there are time, event, depth"):
        filled()["tiem"]


@pytest.mark.parametrize("columns", [(), ("a", "a")])
def test_columns_need_names_that_differ(columns):
    with pytest.raises(ValueError, match="names that differ"):
        Records(*columns)


def test_a_table_reads_as_text_and_as_html():
    table = filled().to_table(limit=1)
    assert repr(table) == "time  event  depth\n0     sent   1\n… and 1 more row"
    assert '<th scope="col" style="text-align: left">event</th>' in table._repr_html_() and "and 1 more row<" in table._repr_html_()
    assert '<td style="text-align: right; white-space: nowrap">1</td>' in table._repr_html_()  # numbers line up, words begin together


def test_a_date_stays_on_one_line_a_sentence_may_take_several_and_what_is_left_out_stands_below():
    records = Records("when", "why")
    for _ in range(1500):
        records.append("Mon 05 Jan 00:05:30", "nobody answered within thirty seconds")
    html = records.to_table(limit=1)._repr_html_()
    assert '<td style="text-align: left; white-space: nowrap">Mon 05 Jan 00:05:30</td>' in html
    assert '<td style="text-align: left">nobody answered within thirty seconds</td>' in html
    assert '<caption style="caption-side: bottom">and 1,499 more rows</caption>' in html


def test_a_table_escapes_what_it_shows():
    records = Records("text")
    records.append("<script>")
    assert "<script>" not in records.to_table()._repr_html_()


def test_percentiles_are_values_that_occurred():
    values = [5, 1, 4, 2, 3]
    assert [percentile(values, p) for p in (0, 20, 50, 99, 100)] == [1, 1, 3, 5, 5]


@pytest.mark.parametrize("values, percent, words", [([], 50, "no values"), ([1], 101, "between 0 and 100")])
def test_a_percentile_of_nothing_or_beyond_is_refused(values, percent, words):
    with pytest.raises(ValueError, match=words):
        percentile(values, percent)
