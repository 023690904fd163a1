"""The modules of the package import each other in one direction, type hints included."""

import ast
import pathlib
import unittest

import ksr

FOLDER = pathlib.Path(ksr.__file__).parent


def imports_of(path):
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            found.update(name.split(".")[0] for name in names)
    return found


class Modules(unittest.TestCase):
    def test_no_import_circle(self):
        imports = {path.stem: imports_of(path) for path in FOLDER.glob("*.py") if path.stem != "__init__"}
        self.assertIn("_inbox", imports["stream"])
        while imports:
            leaves = {name for name, used in imports.items() if not used & imports.keys()}
            self.assertTrue(leaves, f"these import each other: {', '.join(sorted(imports))}")
            for name in leaves:
                del imports[name]


if __name__ == "__main__":
    unittest.main()
