"""Which files of a folder belong together: scenes, their sources, references and masks.

`names` says what one name means, `sequences` when names count up, `directory` reads one directory,
`tree` the directories below it, `patterns` what a user says with ``--layout``. Nothing here opens
a picture, except to count the pages of a TIFF that is a scene by itself.
"""
