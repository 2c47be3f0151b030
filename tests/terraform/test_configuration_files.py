"""The text of configurations."""

from pathlib import Path

import pytest

from tsubo.terraform.configuration_files import all_texts, check, fingerprint, used_types
from tsubo.terraform.runs import RunError


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_types_of_the_directory_its_modules_and_theirs(tmp_path: Path) -> None:
    write(tmp_path / "stack/main.tf", 'resource "aws_vpc" "a" {}\nmodule "m" {\n  source = "../m"\n}\n')
    write(tmp_path / "stack/more.tf.json", '{"data": {"aws_region": {"r": {}}}}')
    write(tmp_path / "m/main.tf", 'module "n" {\n  source = "./n"\n}\nresource "aws_eip" "e" {}\n')
    write(tmp_path / "m/n/main.tf", 'resource "aws_lb" "l" {}\nmodule "loop" {\n  source = "../../m"\n}\n')
    write(tmp_path / "fetched/remote/main.tf", 'resource "aws_ecs_cluster" "c" {}')
    write(tmp_path / "other/main.tf", 'resource "aws_instance" "i" {}')
    found = used_types(all_texts(tmp_path / "stack", tmp_path / "fetched"))
    assert found == {"aws_vpc", "aws_region", "aws_eip", "aws_lb", "aws_ecs_cluster"}


def test_any_edit_changes_the_fingerprint() -> None:
    assert fingerprint(["a", "b"]) == fingerprint(["a", "b"])
    assert len({fingerprint(texts) for texts in (["a", "b"], ["ab"], ["b", "a"], ["a"])}) == 4
    assert fingerprint(["a"], "terraform") != fingerprint(["a"], "tofu")


def test_what_cannot_be_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such directory"):
        check(tmp_path / "none")
    with pytest.raises(RunError, match="no Terraform configuration"):
        check(tmp_path)
    write(tmp_path / "main.tf", '# data "http" would be refused\nresource "aws_vpc" "a" {}\n')
    check(tmp_path)
    write(tmp_path / "main.tf", 'data "http" "x" {\n  url = "https://example.com"\n}\n')
    with pytest.raises(RunError, match=r'data "http"') as refused:
        check(tmp_path)
    assert refused.value.kind == "refused"
