import sizes


def test_every_function_and_file_is_within_its_limit():
    assert sizes.violations() == []


def test_long_function_and_long_file_are_found(tmp_path):
    path = tmp_path / "long.py"
    body = "    pass\n" * 80
    path.write_text(f"def short():\n{body[:-9]}\ndef long():\n{body}")
    assert [line.split(": ")[1] for line in sizes.too_long(path)] == [
        "function long has 81 lines; at most 80 are allowed"
    ]
    path.write_text("x = 1\n" * 801)
    assert len(list(sizes.too_long(path))) == 1


def test_tests_scripts_and_page_are_measured(tmp_path):
    for folder in ("src", "tests", "scripts", "ui/src"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "tests" / "a.py").write_text("\n" * 900)
    (tmp_path / "ui" / "src" / "a.tsx").write_text("\n" * 900)
    (tmp_path / "ui" / "src" / "made.d.ts").write_text("\n" * 900)
    assert len(sizes.violations(tmp_path)) == 2
