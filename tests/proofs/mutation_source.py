"""Makes properties mutable: mutmut leaves decorated functions alone, and much of the core is read by properties."""

from __future__ import annotations

import ast


def open_properties(source: str) -> str:
    """The same module with each ``@property`` written as a plain method and ``name = property(method)`` behind it.

    Protocols stay as they are: their properties have no body that could be wrong.
    """
    lines = source.split("\n")
    for node in sorted(_properties(ast.parse(source)), key=lambda node: -node.lineno):
        indent = " " * node.col_offset
        end = node.end_lineno or node.lineno
        lines.insert(end, f"{indent}{node.name} = property(_read_{node.name})")
        lines[node.lineno - 1] = lines[node.lineno - 1].replace(f"def {node.name}(", f"def _read_{node.name}(", 1)
        del lines[node.decorator_list[0].lineno - 1]
    return "\n".join(lines)


def _properties(tree: ast.Module) -> list[ast.FunctionDef]:
    return [
        item
        for cls in tree.body
        if isinstance(cls, ast.ClassDef) and not any(ast.unparse(base) == "Protocol" for base in cls.bases)
        for item in cls.body
        if isinstance(item, ast.FunctionDef) and [ast.unparse(d) for d in item.decorator_list] == ["property"]
    ]
