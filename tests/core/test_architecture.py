"""The house stands as docs/architecture.md draws it: who may import whom, what no file may hold, what ships."""

from __future__ import annotations

import ast
import keyword
import re
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pytest_socket import SocketConnectBlockedError

from instructzoo.core import api
from instructzoo.core import domain as domains
from instructzoo.core import recipe as recipes
from instructzoo.core.data.builder import NOT_IN_ROWS
from instructzoo.core.domain import OFFICIAL_DOMAINS
from instructzoo.core.model_hashes import HASHES, check_hashes

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "shared" / "src" / "instructzoo" / "core"
DISTRIBUTIONS = [ROOT / "shared", *sorted(p.parent for p in (ROOT / "packages").glob("*/pyproject.toml"))]
DOMAINS = {p.name: p / "src" / "instructzoo" / p.name for p in DISTRIBUTIONS[1:]}
SOURCES = sorted(p for d in DISTRIBUTIONS for p in (d / "src").rglob("*.py"))
CODE = sorted([*SOURCES, *(p for d in ("tests", "demos") for p in (ROOT / d).rglob("*.py"))])

LAYERS = (
    "errors", "openmp", "stop_signals", "record", "shelf", "domain", "settings", "train_settings", "settings_aliases",
    "recipe", "environment", "atomic_files", "model_hashes", "run_checks", "runs", "data", "text", "models", "tune",
    "infer", "score", "synth", "report", "ui", "terminal", "answers", "commands", "api", "testing", "cli",
)  # fmt: skip
"""Layers of the core: each imports only from itself and from those named before it."""


PICKLES = ("pickle", "cPickle", "dill", "cloudpickle", "joblib")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Every `instructzoo` module that a file imports, at any depth of nesting, with its line."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names if alias.name.startswith("instructzoo"))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import; the house writes them out"
            module = node.module or ""
            if module in ("instructzoo", "instructzoo.core"):
                yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)
            elif module.startswith("instructzoo."):
                yield module, node.lineno


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def calls(path: Path) -> Iterator[tuple[str, dict[str, str], str]]:
    """Every call of a file: the dotted name of what is called, its keyword arguments as text, and the place."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            given = {k.arg: ast.unparse(k.value) for k in node.keywords if k.arg}
            yield ast.unparse(node.func), given, f"{relative(path)}:{node.lineno}"


def test_the_architecture_page_lists_the_layers_in_order() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = page[page.index("## Layers of the core") : page.index("## Rules")]
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", section, flags=re.M)
    assert tuple(re.findall(r"\w+", " ".join(rows))) == LAYERS


def test_the_settings_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    assert page == api.settings(), "zoo doctor --settings > docs/recipes.md"


@pytest.mark.parametrize("domain", DOMAINS)
def test_bundled_models_match_their_hashes(domain: str) -> None:
    for path in DOMAINS[domain].glob("weights/**/recipe.yaml"):
        assert (path.parent / HASHES).is_file(), f"python -m instructzoo.core.model_hashes {relative(path.parent)}"
        check_hashes(path.parent)


def test_no_distribution_owns_the_namespace_package() -> None:
    for folder in DISTRIBUTIONS:
        assert not (folder / "src" / "instructzoo" / "__init__.py").exists()
        assert len(list((folder / "src" / "instructzoo").glob("*/__init__.py"))) == 1, folder


def test_core_layers_import_only_layers_listed_before_them() -> None:
    faults = []
    for path in SOURCES:
        layer = path.relative_to(CORE).parts[0].removesuffix(".py") if path.is_relative_to(CORE) else "__init__"
        if layer == "__init__":
            continue
        if layer not in LAYERS:
            faults.append(f"{relative(path)}: {layer} is missing in the order of layers")
            continue
        for name, line in imported(path):
            _, package, target, *_ = [*name.split("."), ""]
            if package != "core" or target not in LAYERS:
                faults.append(f"{relative(path)}:{line}: {name} is no layer; import it from the layer that defines it")
            elif LAYERS.index(target) > LAYERS.index(layer):
                faults.append(f"{relative(path)}:{line}: {layer} imports {target}, which lies below it")
    assert not faults


def runtime_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a tree at any depth, except those under `if TYPE_CHECKING`."""
    yield node
    children: Iterator[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        children = iter(node.orelse)
    for child in children:
        yield from runtime_nodes(child)


def core_import_graph() -> dict[str, set[str]]:
    """Return the modules that each module of the core imports, also inside functions, by dotted names."""
    sources = [path for path in SOURCES if path.is_relative_to(CORE)]
    parts_of = {path: path.relative_to(CORE.parents[1]).with_suffix("").parts for path in sources}
    paths = {".".join(parts).removesuffix(".__init__"): path for path, parts in parts_of.items()}
    graph: dict[str, set[str]] = {}
    for name, path in paths.items():
        imported_names: set[str] = set()
        for node in runtime_nodes(tree(path)):
            if isinstance(node, ast.Import):
                imported_names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                # `from package import name` imports a module of that name, or else the package itself.
                members = [f"{node.module}.{alias.name}" for alias in node.names]
                imported_names.update(member if member in paths else node.module for member in members)
        graph[name] = imported_names & paths.keys()
    return graph


def cycles_of(graph: dict[str, set[str]]) -> set[frozenset[str]]:
    """Return every group of two or more nodes that all reach each other, and every node that points at itself."""
    reachable = {node: set(targets) for node, targets in graph.items()}
    changed = True
    while changed:
        changed = False
        for targets in reachable.values():
            further = set().union(*(reachable[target] for target in targets)) - targets
            targets |= further
            changed = changed or bool(further)
    return {frozenset(other for other in graph if other in reachable[node] and node in reachable[other])
            for node in graph if node in reachable[node]}  # fmt: skip


def test_import_cycles_are_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"e"}}
    assert cycles_of(graph) == {frozenset("bc"), frozenset("e")}
    type_checking = ast.parse("if TYPE_CHECKING:\n    import a\nelse:\n    import b\ndef f():\n    import c")
    imports = [node for node in runtime_nodes(type_checking) if isinstance(node, ast.Import)]
    assert [node.names[0].name for node in imports] == ["b", "c"]


def test_modules_of_the_core_import_each_other_without_circles() -> None:
    graph = core_import_graph()
    assert graph["instructzoo.core.models.load"] >= {"instructzoo.core.models.resolve", "instructzoo.core.runs"}
    cycles = sorted(sorted(cycle) for cycle in cycles_of(graph))
    assert not cycles, "\n".join(" <-> ".join(cycle) for cycle in cycles)


def test_only_domains_of_this_project_are_advised_to_be_installed() -> None:
    assert set(OFFICIAL_DOMAINS) <= set(DOMAINS)


def test_no_domain_imports_another_domain() -> None:
    faults = []
    for domain, folder in DOMAINS.items():
        for path in folder.rglob("*.py"):
            for name, line in imported(path):
                if name.split(".")[1] not in ("core", domain):
                    faults.append(f"{relative(path)}:{line}: {name}")
    assert not faults


def test_no_module_exceeds_300_lines() -> None:
    lengths = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert not {path: length for path, length in lengths.items() if length > 300}


def test_no_code_calls_eval_opens_pickles_or_trusts_remote_code() -> None:
    wanted = {"torch.load": ("weights_only", "True"), "np.load": ("allow_pickle", "False")}
    faults = []
    for path in CODE:
        for name, given, where in calls(path):
            if given.get("trust_remote_code", "False") != "False":
                faults.append(f"{where}: trust_remote_code")
            module, _, function = name.rpartition(".")
            if name in ("eval", "exec") or (module in PICKLES and function in ("load", "loads", "Unpickler")):
                faults.append(f"{where}: {name}")
            if name in wanted and given.get(wanted[name][0]) != wanted[name][1]:
                faults.append(f"{where}: {name} without {'='.join(wanted[name])}")
    assert not faults


def test_no_code_sets_share_or_names_the_all_interfaces_address() -> None:
    everywhere = ".".join("0000")
    faults = []
    for path in CODE:
        faults += [w for _, given, w in calls(path) if given.get("share", "False") != "False"]
        nodes = [n for n in ast.walk(tree(path)) if isinstance(n, ast.Constant) and n.value == everywhere]
        faults += [f"{relative(path)}:{n.lineno}: {everywhere}" for n in nodes]
    assert not faults


def test_only_models_sources_and_the_teacher_endpoint_import_http_clients() -> None:
    # A teacher's endpoint is no download: it is the one address that the user writes behind --teacher, no other.
    teacher_endpoint = CORE / "synth" / "endpoint.py"
    clients = {"requests", "httpx", "urllib3", "aiohttp", "huggingface_hub", "urllib.request", "http.client"}
    faults = []
    for path in SOURCES:
        if path.is_relative_to(CORE / "models") or path.name == "sources.py" or path == teacher_endpoint:
            continue
        for node in ast.walk(tree(path)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            imported_clients = {name for name in names if name in clients or name.split(".")[0] in clients}
            faults += [f"{relative(path)}: {name}" for name in sorted(imported_clients)]
    assert not faults


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["list", "--json"]], ids=" ".join)
def test_help_and_list_import_no_heavy_library(arguments: list[str]) -> None:
    program = (
        "import sys; sys.argv = ['zoo', *sys.argv[1:]]\n"
        "from instructzoo.core.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "heavy = {'torch', 'transformers', 'datasets', 'gradio', 'matplotlib', 'scipy', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, f'imported: {heavy}'\n"
    )
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_tests_cannot_connect_to_other_machines() -> None:
    with pytest.warns(UserWarning, match="127.0.0.2"), pytest.raises(SocketConnectBlockedError):
        socket.create_connection(("127.0.0.2", 9), timeout=1)


def pages() -> list[Path]:
    folders = [ROOT, ROOT / "docs", ROOT / "demos", *DISTRIBUTIONS]
    return sorted({p for folder in folders for p in folder.glob("*.md")})


def anchors(page: Path) -> set[str]:
    """Headings as the forge links them: lower case, punctuation dropped, spaces as hyphens."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    heads = re.findall(r"^#+ +(.+?) *$", text, flags=re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_relative_link_of_the_docs_has_a_target() -> None:
    dead = []
    for page in pages():
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            linked_page = (page.parent / file).resolve() if file else page
            if not linked_page.exists() or (anchor and anchor not in anchors(linked_page)):
                dead.append(f"{relative(page)}: {target}")
    assert not dead


NOT_OF_A_RECIPE = ("everyday", "curve")
"""Results of no recipe's test split: those of tests/<domain>/everyday.jsonl, and a learning curve."""


def test_results_markers_are_closed_and_name_a_domain_and_recipe() -> None:
    for page in pages():
        text = page.read_text(encoding="utf-8")
        opened = re.findall(r"<!-- results:(\S+) -->", text)
        assert len(opened) == text.count("<!-- /results -->"), page
        for name in opened:
            domain, _, what = name.partition("/")
            assert domain in DOMAINS, f"{page}: {name}"
            of_recipe = (ROOT / "recipes" / domain / f"{what}.yaml").is_file()
            assert of_recipe or what.startswith("weights/") or what in NOT_OF_A_RECIPE, f"{page}: {name}"


def projects() -> list[dict[str, object]]:
    return [tomllib.loads((d / "pyproject.toml").read_text()) for d in DISTRIBUTIONS]


def requirements() -> set[str]:
    """Every name that a pyproject or requirements-dev.txt asks for, our own aside."""
    lines = [line for line in (ROOT / "requirements-dev.txt").read_text().splitlines() if line and line[0] != "#"]
    for values in projects():
        project = values["project"]
        assert isinstance(project, dict)
        lines += project["dependencies"]
        lines += [line for extra in project.get("optional-dependencies", {}).values() for line in extra]
        build = values["build-system"]
        assert isinstance(build, dict)
        lines += build["requires"]
    return {line for line in lines if not Requirement(line).name.startswith("instructzoo-")}


def pins() -> dict[str, str]:
    lines = [line.partition("#")[0].strip() for line in (ROOT / "constraints.txt").read_text().splitlines()]
    pairs = [line.partition("==")[::2] for line in lines if line]
    return {canonicalize_name(name): version for name, version in pairs}


@pytest.mark.parametrize("line", sorted(requirements()))
def test_every_dependency_is_pinned_in_constraints(line: str) -> None:
    requirement = Requirement(line)
    version = pins().get(canonicalize_name(requirement.name))
    assert version, f"{requirement.name} is not in constraints.txt: make constraints"
    assert requirement.specifier.contains(version, prereleases=True), f"{line} against the pin {version}"


@pytest.mark.parametrize("line", sorted(requirements()))
def test_no_requirement_has_an_upper_bound(line: str) -> None:
    assert all(s.operator in (">=", ">", "!=") for s in Requirement(line).specifier), line


def test_torch_is_pinned_without_torchvision_torchaudio_or_cuda() -> None:
    assert pins()["torch"] == "2.13.0"
    assert not {"torchvision", "torchaudio"} & set(pins())
    cuda = [name for name in pins() if name.startswith(("nvidia-", "cuda-")) or name == "triton"]
    assert not cuda


def test_every_recipe_in_the_repository_loads() -> None:
    paths = sorted((ROOT / "recipes").rglob("*.yaml"))
    assert {path.parent.name for path in paths} == set(DOMAINS)
    for path in paths:
        recipe = recipes.load(str(path))
        assert (recipe.domain, recipe.name) == (path.parent.name, path.stem), path


def test_every_distribution_declares_licence_recipes_and_entry_point() -> None:
    for folder in DISTRIBUTIONS:
        assert (folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
        values = tomllib.loads((folder / "pyproject.toml").read_text())
        bundled = (
            [model for model in domains.get(folder.name).models if model.bundled] if folder.name in DOMAINS else []
        )
        research = any(model.research_only for model in bundled)
        expected = "Apache-2.0 AND LicenseRef-Research-Only" if research else "Apache-2.0"
        assert values["project"]["license"] == expected
        if folder.name in DOMAINS:
            included = values["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
            assert included[f"../../recipes/{folder.name}"] == f"instructzoo/{folder.name}/recipes"
            assert (ROOT / "recipes" / folder.name / "tiny.yaml").is_file()
            assert values["project"]["entry-points"]["instructzoo.domains"] == {
                folder.name: f"instructzoo.{folder.name}:domain"
            }


def test_every_domain_is_known_to_mypy_and_the_workspace() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert {f"instructzoo.{name}" for name in DOMAINS} <= set(tools["mypy"]["packages"])
    assert {f"packages/{name}/src" for name in DOMAINS} <= set(tools["mypy"]["mypy_path"])
    assert {f"instructzoo-{name}" for name in DOMAINS} <= set(tools["uv"]["sources"])


TOP_LEVEL = {
    "__init__", "world", "sources", "prompts", "metrics", "demo", "data", "schema", "problem", "checker", "images",
    "extraction", "edit_request", "answers", "weights", "recipes", "model", "objective", "sampling", "predictor",
    "networks", "shapes", "synth", "synthesis", "tasks", "protocols",
}  # fmt: skip
"""Modules and folders that a domain may have; docs/architecture.md says what each holds."""

NEEDED = {"__init__", "world", "sources", "prompts", "metrics", "answers", "demo"}
MOST_MODULES = 20


def test_every_domain_has_the_same_top_level() -> None:
    for folder in DOMAINS.values():
        names = {p.name.removesuffix(".py") for p in folder.iterdir() if p.name != "__pycache__"}
        assert NEEDED <= names <= TOP_LEVEL, f"{relative(folder)}: {sorted((NEEDED - names) | (names - TOP_LEVEL))}"


def test_folders_hold_few_enough_modules_to_be_read() -> None:
    folders = {path.parent for path in SOURCES}
    assert not {relative(f) for f in folders if len(list(f.glob("*.py"))) > MOST_MODULES + 1}  # and __init__.py


def test_every_rule_of_the_architecture_page_names_tests_that_exist() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    tests = {node.name for path in [*CODE] for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef)}
    rules = re.findall(r"^\| (\d+) \| .*? \| ((?:`test_\w+`(?:, )?)+) \|$", page, flags=re.M)
    assert [int(number) for number, _ in rules] == list(range(1, len(rules) + 1))
    assert len(rules) == 11
    named = {name for _, names in rules for name in re.findall(r"`(\w+)`", names)}
    assert named <= tests, named - tests


def test_no_page_or_source_cites_a_rule_without_its_list() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in [*SOURCES, *pages()]}
    assert not {
        relative(path) for path, text in texts.items() if re.search(r"\(?\b(law|rule) \d+", text, re.IGNORECASE)
    }


SHARED_LINES = 12
"""Lines of one shape that two domains may not both have, declarations aside: what they share is the core's."""


def shapes(path: Path) -> list[str]:
    """The code lines of a module with names, numbers and texts replaced; without imports, docstrings and settings."""
    skipped: set[int] = set()
    for node in ast.walk(tree(path)):
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_declaration = isinstance(node, ast.AnnAssign | ast.Assign) and node.col_offset in (0, 4)
        if isinstance(node, ast.Import | ast.ImportFrom) or is_text or is_declaration:
            skipped.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = path.read_text(encoding="utf-8").splitlines()
    code = [line.partition("#")[0].strip() for number, line in enumerate(lines, 1) if number not in skipped]
    texts = [re.sub(r'"[^"]*"|\d+', "0", line) for line in code if re.search(r"\w", line)]
    return [re.sub(r"[A-Za-z_]\w*", lambda m: m[0] if keyword.iskeyword(m[0]) else "n", text) for text in texts]


def test_no_run_of_lines_of_one_shape_stands_in_two_domains() -> None:
    first: dict[tuple[str, ...], tuple[str, Path]] = {}
    faults = set()
    for name, folder in DOMAINS.items():
        for path in sorted(folder.rglob("*.py")):
            lines = shapes(path)
            for start in range(len(lines) - SHARED_LINES + 1):
                run = tuple(lines[start : start + SHARED_LINES])
                owner, other = first.setdefault(run, (name, path))
                if owner != name:
                    faults.add(f"{relative(path)} and {relative(other)}: {run[0]}")
    assert not faults


def closure(domain: str, module: str) -> set[str]:
    """The modules of a domain that importing one of them brings in, by dotted name below the domain."""
    folder, waiting, seen = DOMAINS[domain], [module], set[str]()
    while waiting:
        name = waiting.pop()
        path = folder / f"{name.replace('.', '/')}.py"
        path = path if path.is_file() else path.with_suffix("") / "__init__.py"
        if name in seen or not path.is_file():
            continue
        seen.add(name)
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"instructzoo.{domain}"):
                inside = (node.module or "").removeprefix(f"instructzoo.{domain}").strip(".")
                waiting += [f"{inside}.{alias.name}".strip(".") for alias in node.names] + [inside] * bool(inside)
    return seen


@pytest.mark.parametrize("domain", DOMAINS)
def test_code_left_out_of_the_cache_key_is_never_imported_by_what_makes_rows(domain: str) -> None:
    modules = closure(domain, "sources") | closure(domain, "world") | closure(domain, "prompts")
    assert {"sources", "world", "prompts"} <= modules
    assert not {name for name in modules if name.partition(".")[0] in NOT_IN_ROWS}
