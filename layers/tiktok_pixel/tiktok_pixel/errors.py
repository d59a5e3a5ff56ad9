"""The root of every error that this package raises on purpose.

::

    TikTokPixelError
    ├── mapping.MappingError          a mapping file that cannot be used
    ├── segment.PayloadError          a request body that holds no Segment event
    └── settings.SettingsError        environment or SSM lacks what is needed

The root itself is never raised: it is there to be caught.
"""


class TikTokPixelError(Exception):
    """Base of the errors of this package; never raised itself."""
