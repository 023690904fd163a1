"""`read` gives the compilations of a build by their sources: of files that are compiled together, each by itself; used by
clang-database and thread-safety."""

import json
import re
import shlex
from pathlib import Path


def read(build, root):
    """Each once for each target that has it. Ends the program when a file of src or abi is not among them: what checks
    nothing must not pass."""
    found = []
    for entry in json.loads((Path(build) / "compile_commands.json").read_text()):
        words = entry.get("arguments") or shlex.split(entry["command"])
        file = Path(entry["directory"], entry["file"])
        together = "/Unity/unity_" in str(file)
        for source in re.findall(r'^#include "([^"]+)"', file.read_text(), re.M) if together else [str(file)]:
            arguments = [source if word == entry["file"] else word for word in words]
            found.append({"directory": entry["directory"], "file": source, "arguments": arguments})
    compiled = {Path(entry["file"]).resolve() for entry in found}
    own = [source for top in ("src", "abi") for source in Path(root, top).rglob("*.cpp")]
    missing = sorted(str(source.relative_to(root)) for source in own if source.resolve() not in compiled)
    if missing:
        raise SystemExit(f"{build} does not compile {', '.join(missing)}")
    return found
