"""The root of every error that this package raises on purpose.

::

    TikTokPixelError
    ├── mapping.MappingError                   a mapping file that cannot be used
    ├── settings.SettingsError                 an environment variable that cannot be used
    ├── segment.errors.PayloadError            a request body that holds no Segment event
    ├── segment.errors.InvalidSegmentEventError  one event that is none
    ├── problems.InvalidEventError             an event that can never be sent
    ├── problems.UnusableValueError            one value that cannot be sent
    ├── parameters.ParametersUnavailableError  SSM does not answer and never did
    ├── tiktok.delivery.CredentialsUnavailableError  a pixel without code or token
    ├── tiktok.client.NoResponseError            TikTok gave no answer
    └── parking.UnreadableMessageError         a message of the queue that is none of ours

The root itself is never raised: it is there to be caught.
"""


class TikTokPixelError(Exception):
    """Base of the errors of this package; never raised itself."""
