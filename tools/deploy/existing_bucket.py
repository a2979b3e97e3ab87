"""Whether a bucket that is there can be catalogued: it is this account's, here, and sends its events to EventBridge.

Asked by reading alone: nothing of such a bucket is ever changed.
"""

from __future__ import annotations

from tools.deploy.account import Account
from tools.deploy.sigv4 import ApiError


class BucketError(Exception):
    """The bucket cannot be catalogued; the text says what its owner can do."""


def check_bucket(account: Account, bucket: str, owner: str) -> bool:
    """Raise BucketError unless the bucket can be catalogued; False where its settings may not be read (say so)."""
    try:
        account.s3("HEAD", f"/{bucket}", headers={"x-amz-expected-bucket-owner": owner})
    except ApiError as error:
        if error.status == 404:
            raise BucketError(
                f"There is no bucket {bucket}. With create_bucket = false bucket_name names one that is there."
            ) from error
        if error.status in (301, 307, 400):
            raise BucketError(
                f"The bucket {bucket} is not in {account.region}. Deploy where the bucket is (AWS_REGION): its events "
                "are told there alone."
            ) from error
        if error.status == 403:
            raise BucketError(
                f"The bucket {bucket} does not belong to account {owner}, or these credentials may not see it "
                "(s3:ListBucket). Only a bucket of the account that is deployed to can be catalogued."
            ) from error
        raise
    try:
        answer = account.s3("GET", f"/{bucket}", {"notification": ""})
    except ApiError as error:
        if error.status == 403:
            return False
        raise
    if answer is None or not any(
        element.tag.rpartition("}")[2] == "EventBridgeConfiguration" for element in answer.iter()
    ):
        raise BucketError(
            f"The bucket {bucket} does not send its events to EventBridge. Its owner switches that on, beside whatever "
            "other notifications it has: S3 console > the bucket > Properties > Amazon EventBridge > Edit > On. (By "
            'the AWS CLI: get-bucket-notification-configuration, add "EventBridgeConfiguration": {} to what it says, '
            "put-bucket-notification-configuration.) Then run this again. Nothing was changed."
        )
    return True
