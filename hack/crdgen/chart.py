"""A CustomResourceDefinition as a template of the chart: kept at uninstall, left out on request."""

KEEP = "  annotations:\n    helm.sh/resource-policy: keep\n"


def template(header: str, definition: str) -> str:
    """The template: the definition with its braces escaped, the keep annotation, and a guard around it all."""
    escaped = definition.replace("{{", '{{ "{{" }}')
    head, tail = escaped.split("metadata:\n", 1)
    return f"{{{{- if .Values.crds.install }}}}\n{header}{head}metadata:\n{KEEP}{tail}{{{{- end }}}}\n"
