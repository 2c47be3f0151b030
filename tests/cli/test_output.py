"""Tables line up, and what is not known is a dash."""

from tsubo.cli.output import table


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    rows = [{"name": "a", "address": "10.0.10.4"}, {"name": "longer", "address": None}]
    assert table(rows, ("name", "address")) == "NAME    ADDRESS\na       10.0.10.4\nlonger  -"
