"""The root of all errors that this package raises on purpose.

::

    TikTokPixelError
    ├── settings.SettingsError                       an environment variable is unusable
    ├── mapping.MappingError                         a mapping file is unusable
    ├── mapping.SubscriptionError                    FQL that Segment cannot read
    ├── segment.errors.InvalidBodyError              a request body without Segment events
    ├── segment.errors.InvalidSegmentEventError      an event that is not a Segment event
    ├── values.validation.InvalidEventError          an event that can never be sent
    ├── values.validation.ForbiddenEventError        an event that the person's choice forbids
    ├── values.validation.UnusableValueError         a value that cannot be sent
    ├── aws.errors.AwsError                          AWS refuses or does not respond
    ├── aws.errors.EndpointError                     the AWS variables describe no endpoint
    ├── aws.errors.RoleUnavailableError              no credentials to sign AWS requests with
    ├── aws.parameters.ParametersUnavailableError    SSM does not respond and never did
    ├── aws.queue.UnreadableMessageError             a foreign message in the queue
    ├── tiktok.client.NoResponseError                TikTok does not respond
    ├── tiktok.delivery.CredentialsUnavailableError  a pixel without code or token
    ├── endpoint.RetryLaterError                     a direct invocation has to be repeated
    └── redriving.StillParkedError                   a message that SQS has to keep

The root itself is never raised.
"""


class TikTokPixelError(Exception):
    """Base class of the errors of this package."""
