"""The plots of a report, from rows of answers."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from math import comb
from random import Random
from xml.etree import ElementTree as ET

import pytest

pytest.importorskip("matplotlib")

from didww.cdr.report.colors import STAND_INS, variables
from didww.cdr.report.drawing import NARROW, WIDE, Drawing, cut, style, width_of
from didww.cdr.report.numbers import short
from didww.cdr.report.page import Figure, fragment, page
from didww.cdr.report.parts import MOST_ROWS, Column, Plot, Table, limited
from didww.cdr.report.plots.anomalies import anomalies
from didww.cdr.report.plots.channels import channels
from didww.cdr.report.plots.codes import codes
from didww.cdr.report.plots.costs import costs
from didww.cdr.report.plots.failures import failures, tail
from didww.cdr.report.plots.traffic import edges_of, ranges_of, traffic
from didww.cdr.report.plots.trunks import trunks
from didww.cdr.report.scales import day_ticks, time_ticks, value_ticks
from support.report_plots import HOSTILE, START, anomaly, cost, every_plot, peak, trunk


def texts(drawing: str) -> list[str]:
    return [text for text in ET.fromstring(drawing).itertext() if text.strip()]


class Reader(HTMLParser):
    """Reads a page as a browser does, and notes elements, and links to anything."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name in {"src", "href"}]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def test_traffic_names_the_busiest_hour() -> None:
    """And its table has all 24 hours of seven days, those without calls too."""
    plot = traffic([{"weekday": 3, "hour": 14, "calls": 50}, {"weekday": 7, "hour": 23, "calls": 50 - 1}])
    assert plot is not None
    assert plot.finding.startswith("The busiest hour is Wednesday, 14:00\N{EN DASH}15:00, with 50 calls. 49.5%")
    assert len(plot.table.rows) == 24
    assert plot.table.rows[14] == ("14:00\N{EN DASH}15:00", 0, 0, 50, 0, 0, 0, 0)
    assert traffic([]) is None


@pytest.mark.parametrize("most", [1, 2, 5, 6, 7, 1000])
def test_legend_of_traffic_has_each_number_of_calls_once(most: int) -> None:
    """Its ranges follow each other, however few calls there are."""
    edges = edges_of(most)
    labels = ranges_of(edges)
    numbers = [int(part) for label in labels for part in re.findall(r"\d+", label.replace(",", ""))]
    assert numbers == sorted(numbers), labels
    assert numbers[:2] == [0, 1]
    assert edges[-1] <= most


def test_trunks_beyond_the_first_are_drawn_as_one_bar() -> None:
    """Its ratio is that of their sums; the table has each trunk."""
    rows = [trunk(f"Trunk {n:02}", 1000 - n, 500) for n in range(20)]
    plot = trunks(rows, "inbound")
    assert plot is not None
    drawn = texts(plot.drawings[0])
    assert "8 others" in drawn
    attempts = sum(1000 - n for n in range(12, 20))
    assert f"{8 * 500 / attempts:.1%}" in drawn
    assert len(plot.table.rows) == 20
    assert "Trunk 12" not in drawn


def test_trunk_with_the_lowest_ratio_is_named() -> None:
    """Unless it had few attempts, or stands for attempts that reached no trunk."""
    plot = trunks([trunk("Good", 100, 90), trunk("Bad", 100, 20), trunk("Rare", 2, 0), trunk(None, 50, 0)], "inbound")
    assert plot is not None
    assert plot.finding == "43.7% of 252 attempts were answered. Bad has the lowest ratio, 20.0%."
    assert "(no trunk)" in texts(plot.drawings[1])
    assert trunks([], "inbound") is None


def test_cost_table_is_exact() -> None:
    """Amounts are added as decimals, and small countries become one column."""
    rows = [cost(day, f"Country {n}", f"{10 - n}.001") for day in range(3) for n in range(9)]
    plot = costs([*rows, cost(1, None, "0.009")])
    assert plot is not None
    headings = [column.heading for column in plot.table.columns]
    assert headings == ["Day", *(f"Country {n}" for n in range(5)), "Other countries", "Country not given", "Total"]
    assert plot.table.rows[0][-1] == sum(row["cost"] for row in rows) + Decimal("0.009")
    assert plot.table.rows[0][1] == Decimal("30.003")
    assert [sum(row[1:-1]) for row in plot.table.rows] == [row[-1] for row in plot.table.rows]
    assert costs([cost(0, "France", "0")]) is None


@pytest.mark.parametrize(
    ("unknown", "sentence"),
    [("1", " France has the largest share, 72.7%."), ("90", " The country of 90.0% is not given.")],
)
def test_cost_without_a_country_can_be_the_largest_share(unknown: str, sentence: str) -> None:
    """Then no country is said to have it."""
    plot = costs([cost(0, "France", "8"), cost(0, "Spain", "2"), cost(0, None, unknown)])
    assert plot is not None
    assert plot.finding.endswith(sentence)


def test_scale_of_cost_is_exact() -> None:
    """Ticks of half cents have as many digits."""
    plot = costs([cost(0, "France", "0.09")])
    assert plot is not None
    assert {"$0.025", "$0.050", "$0.075", "$0.100"} <= set(texts(plot.drawings[0]))


def test_days_without_cost_are_drawn() -> None:
    """The scale of days has no gaps, even if rows have."""
    plot = costs([cost(0, "France", "1"), cost(27, "France", "2")])
    assert plot is not None
    assert "Sep 21" in texts(plot.drawings[0])
    assert "Sep 28, 2026 cost most, $2.00" in plot.finding
    assert not plot.legend


@pytest.mark.parametrize(
    ("capacity", "full", "words"),
    [
        (None, 0, "At most 7 channels were in use, first on Sep 1, 2026, 05:05 UTC."),
        (10, 0, "The capacity of 10 was never reached: 3 were always free."),
        (7, 61, "The capacity of 7 was reached once, for 1 min 1 s in all."),
    ],
)
def test_channels_against_capacity(capacity: int | None, full: int, words: str) -> None:
    """The sentence says whether there are enough."""
    rows = [peak(n, n + 2, full if n == 5 else 0) for n in range(6)]
    plot = channels(rows, "inbound", "hour", capacity)
    assert plot is not None
    assert words in plot.finding
    for drawing in plot.drawings:
        assert ("Capacity" in " ".join(texts(drawing))) == (capacity is not None)


def test_channels_of_all_times_are_in_the_sentence() -> None:
    """If only the last ones are drawn, which is said; or none, if there are no others."""
    whole = {"peak": 50, "peak_at": START - timedelta(days=3650), "times_full": 1, "full_seconds": 60}
    plot = channels([peak(n * 24, 1) for n in range(6)], "inbound", "day", 10, whole)
    assert plot is not None
    assert plot.finding.startswith("At most 50 channels were in use, first on Sep 3, 2016")
    assert "The capacity of 10 was reached once, for 1 min 0 s in all." in plot.finding
    assert plot.notes == "The most calls at the same time in each day since Sep 1, 2026."
    alone = channels([], "inbound", "day", 51, whole)
    assert alone is not None
    assert alone.finding.endswith("The capacity of 51 was never reached: 1 was always free.")
    assert not alone.drawings


def test_hours_without_calls_are_drawn() -> None:
    """As no channels; and long periods stay small."""
    plot = channels([peak(0, 3), peak(24 * 400, 5)], "outbound", "day")
    assert plot is not None
    assert "Oct" in texts(plot.drawings[0]) or "Nov" in texts(plot.drawings[0])
    assert sum(map(len, plot.drawings)) < 60_000
    assert channels([peak(0, 0)], "outbound", "day") is None


def test_trunk_that_fails_at_night_is_named() -> None:
    """With the hours, across midnight, and its share at all others."""
    rows = [
        {"trunk": f"Trunk {n}", "hour": hour, "attempts": 100, "answered": 90 - (hour + n) % 3}
        for n in range(3)
        for hour in range(24)
    ]
    night = (22, 23, 0, 1, 2, 3)
    rows += [
        {"trunk": "Night", "hour": n, "attempts": 40, "answered": 20 if n in night else 36}
        for n in range(24)
        if n != 12
    ]
    rows += [
        {"trunk": "Night", "hour": 12, "attempts": 3, "answered": 0},
        {"trunk": None, "hour": 9, "attempts": 300, "answered": 0},
    ]
    plot = failures(rows, "inbound")
    assert plot is not None
    assert plot.finding == (
        "Night fails most between 22:00 and 04:00 UTC: 50.0% of 240 attempts were not answered, and 10.4% at its other "
        "hours."
    )
    assert len(plot.table.rows) == 4
    assert failures(rows[-1:], "inbound") is None


def test_trunks_that_fail_alike_at_all_hours_are_not_named() -> None:
    """Nor one that always fails, or never, or a few attempts."""
    rows = [
        {"trunk": f"Trunk {n}", "hour": hour, "attempts": 100, "answered": 50 * n}
        for n in range(3)
        for hour in range(24)
    ]
    rows += [
        {"trunk": "Rare", "hour": 3, "attempts": 2, "answered": 0},
        {"trunk": "Rare", "hour": 4, "attempts": 2, "answered": 2},
    ]
    plot = failures(rows, "outbound")
    assert plot is not None
    assert plot.finding == "No trunk fails at some hours much more than at its others."


def test_chance_names_no_trunk() -> None:
    """Neither a single failed attempt, nor what is left of many spans and trunks whose failures are random."""
    rows = [{"trunk": "Desk", "hour": hour, "attempts": 1, "answered": int(hour > 3)} for hour in (3, 9, 12, 15)]
    plot = failures(rows, "inbound")
    assert plot is not None
    assert plot.finding.startswith("No trunk fails")
    random = Random(1)
    named = 0
    for attempts, trunk_number in [(5, 1), (5, 10), (30, 10)] * 5:
        rows = [
            {
                "trunk": f"Trunk {n}",
                "hour": hour,
                "attempts": attempts,
                "answered": sum(random.random() > 0.02 for _ in range(attempts)),
            }
            for n in range(trunk_number)
            for hour in range(24)
        ]
        plot = failures(rows, "inbound")
        assert plot is not None
        named += not plot.finding.startswith("No trunk fails")
    assert named == 0


def test_hours_that_fail_begin_and_end_with_attempts() -> None:
    """Hours without any are not said to fail."""
    busy = [{"trunk": "Desk", "hour": hour, "attempts": 100, "answered": 95} for hour in range(8, 18)]
    plot = failures([*busy, {"trunk": "Desk", "hour": 3, "attempts": 100, "answered": 10}], "inbound")
    assert plot is not None
    assert plot.finding.startswith("Desk fails most between 03:00 and 04:00 UTC: 90.0% of 100 attempts")


@pytest.mark.parametrize(("failed", "drawn", "found"), [(4, 6, 3), (12, 12, 9), (1, 5, 1), (20, 20, 20)])
def test_probability_of_failures_is_that_of_all_draws(failed: int, drawn: int, found: int) -> None:
    """Counted exactly."""
    ways = sum(comb(failed, n) * comb(40 - failed, drawn - n) for n in range(found, min(failed, drawn) + 1))
    assert tail(40, failed, drawn, found) == pytest.approx(ways / comb(40, drawn), rel=1e-9)
    assert tail(40_000_000, 4_000_000, 400_000, 60_000) < 1e-300


def test_failed_attempts_by_code() -> None:
    """Answered attempts are in the table only."""
    rows = [
        {"disconnect_code": "200", "attempts": 90, "answered": 90},
        {"disconnect_code": "503", "attempts": 9, "answered": 0},
        {"disconnect_code": None, "attempts": 1, "answered": 0},
    ]
    plot = codes(rows, "outbound")
    assert plot is not None
    assert plot.finding == (
        "10 of 100 attempts (10.0%) were not answered; 90.0% of these with 503 Service unavailable."
    )
    assert "200" not in texts(plot.drawings[0])
    assert [row[0] for row in plot.table.rows] == ["503 Service unavailable", "(no code)", "200"]
    assert codes(rows[:1], "outbound") is None


def test_many_trunks_stay_small() -> None:
    """A table with a column for each hour has fewer rows than one of two columns."""
    text = page("Calls", [], [], every_plot(tuple(f"Trunk of customer number {n}" for n in range(1000))))
    assert len(text) < 1_000_000


def test_many_anomalies_stay_small() -> None:
    """The nearest are left out of the drawing and of the table, which says how many."""
    rows = [anomaly(n, "Main", "failures", "5.0") for n in range(5000)]
    plot = anomalies(rows, START.date(), date(2027, 5, 1))
    assert plot is not None
    assert plot.table.omitted == 5000 - len(plot.table.rows) >= 5000 - MOST_ROWS
    assert sum(map(len, plot.drawings)) < 120_000
    assert plot.finding.startswith("5,000 hours of Main are far above the usual.")


def test_hours_are_counted_once() -> None:
    """Also if several measures are unusual in an hour."""
    rows = [anomaly(1, "Main", name, "5.0") for name in ("failures", "cost")]
    one, two = (
        anomalies(found, START.date(), date(2026, 12, 1)) for found in (rows, [*rows, anomaly(2, "B", "cost", "5.0")])
    )
    assert one is not None
    assert two is not None
    assert one.finding.startswith("1 hour of Main is far above the usual. The farthest")
    assert two.finding.startswith("2 hours of trunks are far above the usual, 1 of them of Main.")


def test_drawings_take_their_colors_and_font_from_the_page() -> None:
    """They have two widths, no font or color of their own, and no id that another one has."""
    plots = every_plot()
    for plot in filter(lambda plot: plot.drawings, plots):
        wide, narrow = map(ET.fromstring, plot.drawings)
        assert wide.attrib["viewBox"].split()[2] == str(WIDE)
        assert narrow.attrib["viewBox"].split()[2] == str(NARROW)
        for drawing in plot.drawings:
            assert "font" not in drawing
            assert not re.findall(r"#[0-9a-f]{6}\b", drawing), plot.name
            assert not any(stand_in in drawing for stand_in in STAND_INS)
    reader = Reader(page("Calls", [], [], plots))
    assert len(reader.ids) == len(set(reader.ids))
    assert all(link.removeprefix("#") in reader.ids for link in reader.links)


def test_same_rows_give_the_same_page() -> None:
    """Whatever the program has set in matplotlib, which stays as it is."""
    import matplotlib as mpl

    first = page("Calls", ["x"], [Figure("Calls", "1")], every_plot())
    with mpl.rc_context({"font.size": 33, "axes.grid": True, "svg.fonttype": "path", "axes.facecolor": "red"}):
        assert page("Calls", ["x"], [Figure("Calls", "1")], every_plot.__wrapped__()) == first
        assert mpl.rcParams["font.size"] == 33


def test_data_never_becomes_markup() -> None:
    """Names from files stay text on one line, in drawings, tables, sentences and the title."""
    hostile = page(HOSTILE[0], HOSTILE, [Figure(name, name, name) for name in HOSTILE], every_plot(HOSTILE))
    plain = page("x", ["x"] * len(HOSTILE), [Figure("x", "x", "x")] * len(HOSTILE), every_plot(HOSTILE))
    reader = Reader(hostile)
    assert "script" not in reader.elements
    assert "img" not in reader.elements
    assert not reader.handlers
    assert reader.elements == Reader(plain).elements
    assert hostile.count("<style>") == plain.count("<style>") == 2
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e]", hostile)


def test_text_like_a_stand_in_is_left_as_it_is() -> None:
    """Neither colors nor other texts are put into names of the data."""
    names = ["#0a0b02", "@1@", "font-family:x;"]
    with style():
        drawing = Drawing("test", WIDE, 50)
        paper = drawing.paper()
        for name in names:
            drawing.text(paper, 5, 5, name)
        svg = drawing.svg("#0a0b02 <x>")
    assert texts(svg) == names
    assert ET.fromstring(svg).attrib["aria-label"] == "#0a0b02 <x>"


def test_page_loads_nothing_and_runs_nothing() -> None:
    """It says so to the browser, too."""
    text = page("Calls", [], [], every_plot())
    assert "default-src 'none'" in text
    assert not re.findall(r"https?:|url\((?!#)|@import|<script", text)


def test_page_has_the_colors_of_light_and_of_dark_pages() -> None:
    """All that a drawing uses are declared in both."""
    text = page("Calls", [], [], every_plot())
    used = set(re.findall(r"var\((--[\w-]+)\)", text))
    for declared in (variables(dark=False), variables(dark=True)):
        assert used - {"--text"} <= set(re.findall(r"(--[\w-]+): #", declared))
        assert declared in text


def test_tables_say_how_many_rows_they_leave_out() -> None:
    """They have at most so many that the page stays small."""
    table = limited((Column("A"), Column("B", kind="number")), [("x", n) for n in range(MOST_ROWS + 7)])
    text = fragment("Calls", [], [], [Plot("p", "P", "It is so.", (), table)])
    assert text.count('<th scope="row"') == MOST_ROWS
    assert '<p class="soft">7 more rows are not shown.</p>' in text
    assert fragment("Calls", [], [], [Plot("p", "P", "x", (), Table((Column("A"),), ()))]).count("<table") == 0


def test_very_long_names_do_not_fill_the_page() -> None:
    """Neither in sentences nor in tables."""
    for plot in every_plot(HOSTILE):
        assert len(plot.finding) < 1000
        assert max(len(str(cell)) for row in plot.table.rows for cell in row) < 200


def test_long_names_are_shortened_in_the_middle() -> None:
    """By the width of their characters."""
    assert cut("Main", 20) == "Main"
    assert cut("東京オフィスの電話", 9) == "東京…電話"
    for name in HOSTILE:
        assert width_of(cut(name, 28)) <= 28


@pytest.mark.parametrize(
    ("value", "text"),
    [(999_949, "1M"), (999_400, "999k"), (999_999_999, "1bn"), (999.7, "1k"), (5e12, "5,000bn"), (999.4, "999")],
)
def test_short_numbers_have_no_exponent(value: float, text: str) -> None:
    """Also those that are rounded up to the next unit."""
    assert short(value) == text


@pytest.mark.parametrize(
    ("hours", "most", "labels"),
    [
        (10, 12, [f"{n:02}:00" if n else "Sep 1" for n in range(11)]),
        (48, 5, ["Sep 1", "12:00", "Sep 2", "12:00", "Sep 3"]),
        (24 * 45, 9, ["Sep 7", "Sep 14", "Sep 21", "Sep 28", "Oct 5", "Oct 12"]),
        (24 * 400, 9, ["Sep 2026", "Nov", "Jan 2027", "Mar", "May", "Jul", "Sep"]),
        (24 * 365 * 6, 9, ["2027", "2028", "2029", "2030", "2031", "2032"]),
    ],
)
def test_ticks_of_time(hours: int, most: int, labels: list[str]) -> None:
    """They are beginnings of hours, days, Mondays, months or years."""
    ticks = time_ticks(START, START + timedelta(hours=hours), most)
    assert [label for _, label in ticks] == labels


@pytest.mark.parametrize("year", [1, 1987, 2026, 9999])
def test_times_in_other_centuries_are_drawn(year: int) -> None:
    """Also the first and the last day that there is; with few ticks and steps."""
    days = sorted([date(2026, 9, 1), date(year, 12, 31), date(year, 1, 1)])
    plot = costs([{"day": day, "country": "France", "cost": Decimal("0.1")} for day in days])
    assert plot is not None
    assert plot.finding.startswith("$0.30 in all")
    assert sum(map(len, plot.drawings)) < 100_000
    assert ("Each step has" in plot.notes) == (year != 2026)
    assert 1 <= len(day_ticks(days[0], days[-1], 5)) <= 10
    start, end = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (days[0], days[-1]))
    assert 1 <= len(time_ticks(start, end, 5)) <= 10
    assert len(time_ticks(end, end + timedelta(hours=9), 9)) == 10


def test_ticks_of_values() -> None:
    """They begin at zero and end at or above the largest value."""
    assert value_ticks(0, 4)[0] == 0
    assert value_ticks(7, 4, whole=True) == [0, 2, 4, 6, 8]
    for most in (0.003, 1, 9.99, 1e9):
        assert value_ticks(most, 4)[-1] >= most
