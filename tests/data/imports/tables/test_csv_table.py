"""Is a text read as its writer meant: header, separator, encoding, numbers written so?"""

from __future__ import annotations

import numpy as np
import pytest

from core.data.imports.draft import Choices
from core.data.imports.read_file import read
from core.types import UserError


def said(draft) -> str:
    """All faults as one text."""
    return " ".join(map(str, draft.faults))


# The first lines.


FLOWERS = b"5.1,3.5,setosa\n4.9,3.0,setosa\n7.0,3.2,versicolor\n6.4,3.1,versicolor\n"


def test_rows_without_a_header_and_their_words_as_labels():
    draft = read(FLOWERS, "iris.data")
    assert len(draft) == 4 and draft.feature_names == ("column 1", "column 2")
    assert draft.class_names == ("setosa", "versicolor") and "looks like a row" in said(draft)
    assert "Column 3 holds words that repeat. They are the labels." in said(draft)
    assert "header" in draft.asks
    named = read(FLOWERS, "iris.data", choices=Choices(header=True))
    assert len(named) == 3 and named.feature_names == ("5.1", "3.5")


@pytest.mark.parametrize(
    ("text", "rows", "names"),
    [
        (b"a,b\n1,2\n3,4\n", 2, ("a", "b")),
        (b"0,1,2\n.5,1.5,2\n3,4,5\n", 2, ("0", "1", "2")),
        (b"0,1,2\n1,0,0\n0,1,1\n", 3, ("column 1", "column 2", "column 3")),
        (b"town,2001,2002\nA,1,2\nB,3,4\n", 2, ("2001", "2002")),
        (b",0,1\n0,.5,1\n1,.25,2\n", 2, ("0", "1")),
        (b"1,2\n3,4\n", 2, ("column 1", "column 2")),
    ],
)
def test_is_the_first_line_a_header(text, rows, names):
    draft = read(text, "t.csv")
    assert (len(draft), draft.feature_names) == (rows, names)


@pytest.mark.parametrize(
    "text",
    [
        b"sep=;\nx;z\n1.5;2\n2.5;3\n",
        b"# made by hand\n\n# x z\nx;z\n1.5;2\n2.5;3\n",
        b"\n\nx|z\n1.5|2\n2.5|3\n",
        b"x z\n1.5   2\n2.5 3\n",
        b"# x z\n1.500000e+00 2.000000e+00\n2.5e0 3e0\n",
        b"\xef\xbb\xbfx\tz\r\n1.5\t2\r\n2.5\t3\r\n",
        b"x;z;\n1,5;2;\n2,5;3;\n",
        "x,z\n1.5,2\n2.5,3\n".encode("utf-16"),
        "x,z\n1.5,2\n2.5,3\n".encode("utf-16-le"),
        b'"x","z"\n"1.5","2"\n"2.5","3"\n',
    ],
)
def test_the_same_table_written_otherwise(text):
    draft = read(text, "t.csv")
    assert draft.points.tolist() == [[1.5, 2], [2.5, 3]] and draft.feature_names == ("x", "z")


def test_a_name_that_is_missing_is_that_of_the_index():
    draft = read(b"x,z\np,1.5,2\nq,2.5,3\n", "t.csv")
    assert draft.ids.tolist() == ["p", "q"] and "The first column has no name." in said(draft)


@pytest.mark.parametrize(
    "text",
    [
        b'"x" "z" "kind"\n"p" 1.5 2 "a b"\n"q" 2.5 3 "c d"\n',  # R's write.table
        b'x z  kind\n"p"   1.5 2 "a b"\n  q 2.5 3 "c d"\n',
    ],
)
def test_blanks_part_the_cells_but_not_inside_of_quotation_marks(text):
    draft = read(text, "t.txt")
    assert draft.ids.tolist() == ["p", "q"] and draft.points.tolist() == [[1.5, 2], [2.5, 3]]
    assert draft.shown["kind"].tolist() == ["a b", "c d"]


@pytest.mark.parametrize("title", [b"Survey of 2020", b"Survey of 2020,,", b'"Survey, 2020"\n\nv2'])
def test_a_title_above_a_table_is_passed_over_and_told(title):
    draft = read(title + b"\nx,z,w\n1.5,2,3\n2.5,3,4\n", "t.csv")
    assert draft.feature_names == ("x", "z", "w") and len(draft) == 2
    assert f"above the table: {1 + title.count(b'v2')}, such as Survey" in said(draft)


def test_a_row_with_gaps_is_no_title():
    draft = read(b"x,z,w\n1,,\n2,3,4\n2,3,5\n", "t.csv")
    assert draft.feature_names == ("x", "z", "w") and "above the table" not in said(draft)


def test_a_last_separator_is_a_column_of_nothing():
    draft = read(b"x,z\n1,2,\n3,4,\n", "t.csv")
    assert draft.feature_names == ("x", "z") and draft.points.tolist() == [[1, 2], [3, 4]]
    assert "The last column has no name." in said(draft)


def test_windows_letters():
    draft = read("x,straße\n1,€\n2,ö\n".encode("cp1252"), "t.csv")
    assert draft.shown["straße"].tolist() == ["€", "ö"] and "Windows-1252" in said(draft)


def test_two_blanks_are_two_blanks():
    draft = read(b"label,f\na b,1\na  b,2\na b,3\n", "t.csv")
    assert draft.class_names == ("a  b", "a b")


# Numbers written otherwise.


@pytest.mark.parametrize(
    ("text", "values", "told"),
    [
        (b"x;z\n1,5;2\n3,25;4\n", [1.5, 3.25], "decimal commas, such as"),
        (b"x;z\n1,5;2\n3;4\n", [1.5, 3], "decimal commas, such as 1,5"),
        (b"x;z\n1,5e3;2\n-3;4\n", [1500, -3], "decimal commas"),
        (b"x;z\n1.234,5;2\n3;4\n", [1234.5, 3], "decimal commas, such as 1.234,5"),
        (b"x;z;w\n1,234;2;1,5\n3,500;4;2\n", [1.234, 3.5], "decimal commas"),
        (b'x,z\n"1,234",2\n"14,000",4\n', [1234, 14000], "commas between thousands"),
        (b'x,z\n"1,234.5",2\n7,4\n', [1234.5, 7], "commas between thousands, such as 1,234.5"),
        (b'x,z\n"1,5",2\n"3,25",4\n', [1.5, 3.25], "decimal commas"),
        (b"x;z\n1 234;2\n3;4\n", [1234, 3], "groups of three digits, such as 1 234"),
        ("x,z\n1\u202f234,2\n3,4\n".encode(), [1234, 3], "groups of three digits"),
        ("x,z\n1\u00a0234,2\n3,4\n".encode(), [1234, 3], "groups of three digits"),
        (b"x;z\n1.595;2,5\n12;3,5\n", [1595, 12], "1.595 is read as 1595."),
        (b"x;z\n1.595;2,5\n1.5;3,5\n", [1.595, 1.5], "decimal commas, such as"),
        (b"x;z\n1.595;2\n1,5;3\n", [1595, 1.5], "1.595 as 1595."),
        (b"x;z\n1.595;2\n1,5;3\n2.5;3\n", [1.595, 1.5, 2.5], "beside decimal points, such as 1,5"),
        (b"x;z\n1,000;2.5\n12;3.5\n", [1000, 12], "commas between thousands"),
        (b"x,z\n5%,2\n7.5 %,4\n", [5, 7.5], "percent signs, such as 5%. 5% is read as 5."),
        ("x,z\n\u22121.5,2\n2,4\n".encode(), [-1.5, 2], ""),
    ],
)
def test_commas_and_thousands(text, values, told):
    draft = read(text, "t.csv")
    assert draft.points[:, 0].tolist() == pytest.approx(values) and told in said(draft)


@pytest.mark.parametrize(
    "word", ["?", "-", "None", "NaN", "null", "N/A", "na", "", "missing", "#DIV/0!", "#VALUE!"]
)
def test_words_for_a_missing_number(word):
    draft = read(f"a,b\n1,2\n2,{word}\n3,5\n".encode(), "t.csv")
    assert draft.points.tolist() == [[1, 2], [3, 5]] and draft.left_out == 1
    assert draft.ids.tolist() == ["0", "2"] and "in b (1)" in said(draft)


def test_a_word_is_no_missing_number():
    draft = read(b"a,b\n1,2\n2,many\n3,5\n", "t.csv")
    assert draft.feature_names == ("a",) and draft.shown["b"].tolist() == ["2", "many", "5"]


def test_leading_zeros_are_names():
    draft = read(b"zip;x\n01067;1\n10115;2\n", "t.csv", choices=Choices(id="zip"))
    assert draft.ids.tolist() == ["01067", "10115"]


@pytest.mark.parametrize("cells", ['"[0.5, 1]"', "[0.5 1]", '"(0.5, 1.0)"'])
def test_lists_as_text(cells):
    draft = read(f"id,embedding\np,{cells}\nq,{cells}\n".encode(), "t.csv")
    assert draft.points.tolist() == [[0.5, 1]] * 2 and draft.ids.tolist() == ["p", "q"]


# Gaps.


GAPS = b"id,a,b,c\np,1,,7\nq,2,,8\nr,,,9\ns,4,5,1\nt,9,,2\n"


def test_a_column_that_is_mostly_empty_is_left_out_before_rows_are():
    draft = read(GAPS, "t.csv")
    assert draft.feature_names == ("a", "c") and draft.ids.tolist() == ["p", "q", "s", "t"]
    assert "Columns with gaps: b (4 of 5). They are left out, being mostly empty." in said(draft)
    assert "Rows with empty cells: 1 of 5, the first being 2, in a (1)." in said(draft)
    assert {one.column: one.role for one in draft.roles}["b"] == "left out"
    assert "gaps" in draft.asks


@pytest.mark.parametrize(
    ("how", "ids", "names"),
    [
        ("rows", ["s"], ("a", "b", "c")),
        ("columns", list("pqrst"), ("c",)),
        ("median", list("pqrst"), ("a", "b", "c")),
    ],
)
def test_what_goes_where_numbers_are_missing_is_the_users_choice(how, ids, names):
    draft = read(GAPS, "t.csv", choices=Choices(gaps=how))
    assert draft.ids.tolist() == ids and draft.feature_names == names and not draft.fatal


def test_what_is_filled_is_marked():
    draft = read(GAPS, "t.csv", choices=Choices(gaps="median"))
    assert draft.points[2].tolist() == [3, 5, 9]  # the median of 1, 2, 4, 9, whose mean is 4
    assert draft.shown["filled in"].tolist() == ["b", "b", "a, b", "", "b"]
    assert "Gaps filled by the median of their column: a (1), b (4)." in said(draft)


def test_gaps_that_would_cost_most_rows_are_a_question():
    text = "a,b,c\n" + "\n".join(
        f"{'' if i % 3 == 0 else i},{'' if i % 3 == 1 else i},{i}" for i in range(9)
    )
    draft = read(text.encode(), "t.csv")
    assert draft.fatal and "Choose what is left out, the columns or the rows" in said(draft)
    for how in ("rows", "columns", "median"):
        assert not read(text.encode(), "t.csv", choices=Choices(gaps=how)).fatal, "the mend helps"
    with pytest.raises(UserError, match="Gaps: found 'zero', expected one of rows, columns, med"):
        Choices(gaps="zero")


# Precision.


def test_differences_that_float32_loses_are_kept():
    seconds = 1.7e9 + np.arange(12)
    text = "a,time\n" + "\n".join(f"{i % 5},{t!r}" for i, t in enumerate(seconds.tolist()))
    draft = read(text.encode(), "t.csv")
    assert draft.points.dtype == np.float64 and draft.points[:, 1].tolist() == seconds.tolist()
    assert "float32 cannot tell apart: time." in said(draft) and "one value" not in said(draft)
    plain = read(text.replace("1700000", "1").encode(), "t.csv")
    assert plain.points.dtype == np.float32


@pytest.mark.parametrize(
    ("text", "values", "told"),
    [
        ("a;b\n0,5;0,2\n1,5;1,2\nk.A.;3,2\n4,5;4,2\n", [0.5, 1.5, 4.5], "found k.A. in 1 of 4"),
        ("a;b\n0,5;0,2\n1,5;1,2\n<0,5;3,2\n4,5;4,2\n", [0.5, 1.5, 4.5], "found <0,5 among"),
        ('a,b\n"1,100",2\n"2,200",3\nfew,4\n"4,400",5\n', [1100, 2200, 4400], "found few among"),
        ("a,b\n5%,2\n7%,3\nfew,4\n", [5, 7], "found few among the numbers"),
        ("a;b\n0,5%;1\n1,5%;2\n", [0.5, 1.5], "percent signs and decimal commas, such as 0,5%"),
        (
            "a,b\n(10),1\n20,2\n",
            [-10, 20],
            "numbers in brackets, such as (10). (10) is read as -10",
        ),
        ("a,b\n(10),1\n(20),2\n", [-10, -20], "(10) is read as -10."),
        ("a;b\n1,50 €;1\n2.000,50 €;2\n", [1.5, 2000.5], "found € in every cell"),
        ("a,b\n$1.50,1\n-$2.50,2\n", [1.5, -2.5], "found $ in every cell, such as $1.50."),
        ('a,b\n"$1,500",1\n"$2,500.50",2\n', [1500, 2500.5], "found $ in every cell"),
        ("a,b\n50 kg,1\n61.5 kg,2\n", [50, 61.5], "found kg in every cell, such as 50 kg."),
        ("a;b\n5 zł;1\n7,5 zł;2\n", [5, 7.5], "found zł in every cell"),
        ("a,b\n1.5K,1\n2K,2\n", [1.5, 2], "found K in every cell"),
        ('a,b\n"1,10,100.50",1\n"2,00,000",2\n', [110100.5, 200000], "commas between thousands"),
        ("a;b\n1.100.200;1\n900;2\n", [1100200, 900], "points between thousands"),
        ("a;b\n900;1\n1.200;2\n2.150;3\n", [900, 1200, 2150], "beside whole numbers such as 900"),
        ("a;b\n0.900;1\n1.200;2\n100;3\n", [0.9, 1.2, 100], ""),
        ("a,b\n900,1\n1.200,2\n", [900, 1.2], ""),
        ('a,b\n"[[1, 2], [3, 4]]",1\n"[[5, 6], [7, 8]]",1\n', [1, 5], ""),
    ],
)
def test_numbers_as_people_write_them(text, values, told):
    roles = (("a", "feature"),)
    draft = read(text.encode(), "t.csv", choices=Choices(roles=roles))
    assert draft.points[:, 0].tolist() == pytest.approx(values) and told in said(draft)


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["1,50 €", "2,50 €"], "found € in every cell"),
        (["50 kg", "60 kg"], "50 kg is read as 50."),
    ],
)
def test_numbers_with_a_unit_are_features_by_themselves_and_can_be_the_target(cells, told):
    text = "x;a\n" + "".join(f"{i};{cell}\n" for i, cell in enumerate(cells, 1))
    draft = read(text.encode(), "t.csv")
    assert draft.feature_names == ("x", "a") and told in said(draft)
    draft = read(text.encode(), "t.csv", choices=Choices(target="a"))
    assert len(draft.target) == 2 and draft.feature_names == ("x",)


@pytest.mark.parametrize(
    "cells",
    [["A 1", "B 2"], ["50 kg", "60 lb"], ["030 123", "030 124"], ["1 a", "two"], ["7/8", "1/2"]],
)
def test_text_with_numbers_in_it_stays_text(cells):
    text = "x,a\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(cells, 1))
    draft = read(text.encode(), "t.csv")
    assert draft.feature_names == ("x",)


def test_the_only_numbers_of_a_table_are_features_although_some_cells_are_none():
    draft = read(b"id,conc\n1,0.4\n2,<0.05\n3,0.7\n", "t.csv")
    assert draft.feature_names == ("conc",) and draft.ids.tolist() == ["1", "3"]
    assert "2 of 3 cells are numbers, others are <0.05, the first in row 1." in said(draft)


def test_numbers_with_zeros_before_them_are_names_unless_all_are_so():
    draft = read(b"plz,v\n01001,3\n01003,5\n10005,7\n", "t.csv")
    assert draft.feature_names == ("v",) and draft.shown["plz"].tolist()[0] == "01001"
    assert "Column plz: found zeros before numbers, such as 01001." in said(draft)
    chosen = read(
        b"plz,v\n01001,3\n01003,5\n", "t.csv", choices=Choices(roles=(("plz", "feature"),))
    )
    assert chosen.points[:, 0].tolist() == [1001, 1003]
    assert read(b"p,q\n007,012\n255,000\n", "t.csv").feature_names == ("p", "q")
    assert read(b"hour,v\n07,1.5\n12,2.5\n", "t.csv").feature_names == ("hour", "v")


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("cap,odor\nflat,none\nround,foul\n", "pandas.get_dummies(table)"),
        ("text,label\n" + "this is a rather long review of a film,a\n" * 2, "an embedding of it"),
        ("file,label\na.png,cat\nb.png,dog\n", "Column 1 names images: pack them and this"),
        ("id,odor\n1,none\n2,foul\n", "pandas.get_dummies(table)"),
        ("label,year\na,1\nb,2\n", "Column 2 has the role shown only: give it"),
    ],
)
def test_a_table_without_numbers_says_what_can_be_done(text, mend):
    choices = Choices(roles=(("year", "shown only"),) if "year" in text else ())
    with pytest.raises(UserError, match="found no features in 2 columns") as error:
        read(text.encode(), "t.csv", choices=choices)
    assert mend in str(error.value)


# Lines around the table, and lines of nothing.

WORLD = (
    '"Data Source","Indicators",\n\n"Last Updated","2024",\n\n'
    '"Country","Code","2001","2002","2003",\n"A","AA",1,2,3,\n"B","BB",4,5,6,\n"C","CC",7,8,9,\n'
)


@pytest.mark.parametrize(
    ("text", "names", "n", "told"),
    [
        ("Report 2024,,\n,,\nx,y2,label\n1.5,2,a\n2.5,3,b\n", "x y2", 2, "above the table: 2"),
        (WORLD, "2001 2002 2003", 3, "above the table: 2, such as Data Source Indicators."),
        ("Logger v1.2\nSerial: 1\nStart: 2024\n\nt,a,b\n0,1,2\n3,1,4\n", "t a b", 2, "table: 3"),
        ("Logger v1.2\nSerial: 1\nStart: 2024\n\nt;a;b\n0;1;2\n3;1;4\n", "t a b", 2, "table: 3"),
        (
            "#1.2\n2\t3\nName\tg1\tg2\tg3\na\t1\t2\t3\nb\t4\t5\t6\n",
            "g1 g2 g3",
            2,
            "above the table",
        ),
        ("a,b\n1,2\n3,4\n\n(2 rows affected)\n", "a b", 2, "One cell below"),
        ("time,temp\ns,C\n0,20.1\n1,20.4\n2,20.9\n", "time temp", 3, "names: 1, such as s, C."),
        ("a,b\n1.5,2\na,b\n2.5,3\n", "a b", 2, "The line of names occurs 1 more time."),
        ("a,a,b\nmean,std,mean\n1,2,3\n4,5,6\n7,8,9\n", "a a_(2) b", 3, "mean, std, mean"),
        ("Q1,Q2\nHow old?,How tall?\n{id:1},{id:2}\n3,4\n5,6\n", "Q1 Q2", 2, "names: 2"),
        ("#id,a,b,label\np0,1.5,2.5,u\np1,2.5,3.5,v\n", "a b", 2, "The last of them names"),
        ("# made by hand\nid,a,b\np0,1.5,2.5\np1,2.5,3.5\n", "a b", 2, "They are passed over."),
    ],
)
def test_lines_around_a_table_are_passed_over_and_told(text, names, n, told):
    draft = read(text.encode(), "t.csv")
    assert draft.feature_names == tuple(name.replace("_", " ") for name in names.split())
    assert len(draft) == n and told.lower() in said(draft).lower()


@pytest.mark.parametrize(
    "text",
    [
        "town,a,b\nBonn,few,few\nTrier,1,2\nKiel,3,4\nUlm,5,6\n",
        "town,conc\nBonn,<0.5\nTrier,1\nKiel,3\n",
        "a,b\n-,-\n1,2\n3,4\n",
    ],
)
def test_a_first_row_without_numbers_is_no_line_of_units(text):
    assert "below the names" not in said(read(text.encode(), "t.csv"))


@pytest.mark.parametrize("end", [",\n", ",\n,\n", " , \n", '"",""\n'])
def test_rows_of_nothing_are_passed_over_and_told_once(end):
    text = "x,label\n1.5,a\n2.5,b\n3.5,a\n4.5,b\n"
    draft = read((text + end).encode(), "t.csv")
    assert draft.points.ravel().tolist() == [1.5, 2.5, 3.5, 4.5] and draft.ids is None
    assert len(draft.faults) == 1 and "Rows of empty cells alone:" in said(draft)


def test_rows_keep_their_numbers_where_one_above_them_holds_nothing():
    draft = read(b"x,label\n1.5,a\n,\n3.5,b\n", "t.csv")
    assert draft.ids.tolist() == ["0", "2"] and draft.labels.tolist() == [0, 1]


def test_vectors_as_word2vec_writes_them_and_blanks_beside_a_tab():
    draft = read(b"3 4\nthe .1 .2 .3 .4\nof .2 .3 .4 .5\nand .3 .4 .5 .6\n", "t.vec")
    assert draft.points.shape == (3, 4) and draft.shown["column 1"].tolist() == ["the", "of", "and"]
    text = '18.0   8   307.0  70  1\t"chevrolet malibu"\n15.0   8   ?  71  1\t"buick skylark"\n'
    draft = read(text.encode() * 3, "auto-mpg.data", choices=Choices(gaps="median"))
    assert draft.points.shape == (6, 5)


def test_uneven_rows_say_what_can_be_deleted():
    with pytest.raises(UserError, match="Delete lines above the names of the columns and below"):
        read(b"a,b\n1,2\n1,2,3\n", "t.csv")
