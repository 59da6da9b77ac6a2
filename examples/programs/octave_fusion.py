"""A plug-in for methods that exist as MATLAB code: run by GNU Octave, or by MATLAB."""

from methods.programs import program


@program(
    "octave-fusion",
    title="Largest local variance, in Octave",
    paper="an example",
    install="apt-get install octave",
    bits=16,
    files="fuse_images.m",
)
def octave_fusion(*, window: int = 7) -> list[str]:
    """Take every pixel from the source with the largest variance in a window.

    Parameters
    ----------
    window : int
        Side of the window in pixels.
    """
    return ["octave-cli", "--no-init-file", "--quiet", "{here}/fuse_images.m", str(window)]


@program(
    "matlab-fusion",
    title="Largest local variance, in MATLAB",
    paper="an example",
    install="get it from https://www.mathworks.com",
    version=(),
    bits=16,
    files="fuse_images.m",
    environment={"MATLABPATH": "{here}"},
)
def matlab_fusion() -> list[str]:
    """Do the same with MATLAB, whose version is told by a hash of its file."""
    return ["matlab", "-batch", "fuse_images"]
