"""AWS Certificate Manager: public certificates, issued here by the local certificate authority, and imported ones.

`OPERATIONS` are the operations by their names. Source: aws/alb-vpc-terraform.md section 4.
"""

from tsubo.aws.acm import certificates, imported, tags
from tsubo.aws.operations import Operations

OPERATIONS: Operations = {
    "RequestCertificate": certificates.request_certificate,
    "DescribeCertificate": certificates.describe_certificate,
    "ListCertificates": certificates.list_certificates,
    "GetCertificate": certificates.get_certificate,
    "DeleteCertificate": certificates.delete_certificate,
    "UpdateCertificateOptions": certificates.update_certificate_options,
    "ImportCertificate": imported.import_certificate,
    "AddTagsToCertificate": tags.add_tags_to_certificate,
    "RemoveTagsFromCertificate": tags.remove_tags_from_certificate,
    "ListTagsForCertificate": tags.list_tags_for_certificate,
    "TagResource": tags.tag_resource,
    "UntagResource": tags.untag_resource,
    "ListTagsForResource": tags.list_tags_for_resource,
}
