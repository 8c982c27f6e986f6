import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]


def test_every_declared_requirement_has_a_fitting_exact_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        declared += extra
    pinned = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            (version,) = (item.version for item in requirement.specifier)
            pinned.setdefault(canonicalize_name(requirement.name), []).append(version)
    for requirement in map(Requirement, declared):
        name = canonicalize_name(requirement.name)
        if name != "tidewright":
            assert all(requirement.specifier.contains(one) for one in pinned[name]), requirement
