"""What koatsu does as a program: the only place that wires the packages together."""

__all__: list[str] = []
