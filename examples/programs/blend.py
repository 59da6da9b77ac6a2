"""A plug-in that registers a program: here a script beside it, as authors of papers have one."""

from methods.programs import program


@program(
    "blend",
    title="Mean of the sources, by a script",
    paper="an example",
    bits=16,
    files="mean_of_files.py",
)
def blend(*, power: float = 1.0) -> list[str]:
    """Average all sources.

    Parameters
    ----------
    power : float
        Of which power of the levels the mean is taken; ``blend@power=2`` on the command line.
    """
    return ["python", "{here}/mean_of_files.py", str(power), "{output}", "{sources}"]
