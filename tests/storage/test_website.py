"""Static websites, held to the Amazon S3 User Guide (pages named in the tests)."""

import pytest

from kit.errors import ServiceError
from kit.storage.website import NOTHING, Found, answer, check_website, endpoint

HOST = "shop.s3-website-us-east-1.amazonaws.com"
INDEX = {"IndexDocument": {"Suffix": "index.html"}}
ERROR = INDEX | {"ErrorDocument": {"Key": "404.html"}}


def get(path, configuration=INDEX, method="GET", requester_pays=False):
    return answer(configuration, path, lambda key: SITE.get(key, NOTHING), host=HOST, method=method,
                  requester_pays=requester_pays)


SITE = {"index.html": Found(), "photos/index.html": Found(), "photo.jpg": Found(), "secret.html": Found(readable=False),
        "404.html": Found(), "old.html": Found(redirect="/new.html"), "away": Found(redirect="https://www.example.com/"),
        "moved.html": Found(redirect="/404.html"), "hidden/index.html": Found(readable=False),
        "mixed": Found(readable=False), "mixed/index.html": Found()}


@pytest.mark.parametrize("path, key", [("/", "index.html"), ("", "index.html"), ("/photos/", "photos/index.html"),
                                       ("/photo.jpg", "photo.jpg")])
def test_the_root_and_folders_serve_their_index_document(path, key):
    """"Configuring an index document": with a trailing slash; at the root the slash is optional."""
    got = get(path)
    assert (got.status, got.key) == (200, key)


def test_a_folder_without_its_slash_is_redirected_if_it_has_an_index():
    """"...Amazon S3 returns a 302 Found message and points to the photos/ key"; else an error."""
    got = get("/photos")
    assert (got.status, got.location) == (302, "/photos/")
    assert get("/videos").status == 404 and get("/videos/").status == 404


def test_missing_is_404_and_not_public_is_403():
    """"Setting permissions for website access", Note."""
    assert (get("/nothing").status, get("/nothing").code) == (404, "NoSuchKey")
    assert (get("/secret.html").status, get("/secret.html").code) == (403, "AccessDenied")
    assert get("/hidden/").status == 403
    assert get("/mixed").status == 403  # it is there: no folder is looked for


def test_the_error_document_keeps_the_status():
    """"Configuring a custom error document": for the 4XX class."""
    for path, status in (("/nothing", 404), ("/secret.html", 403)):
        got = get(path, ERROR)
        assert (got.status, got.key) == (status, "404.html")


@pytest.mark.parametrize("document", ["gone.html", "secret.html"])
def test_an_error_document_that_cannot_be_read_leaves_s3s_own_page(document):
    got = get("/nothing", INDEX | {"ErrorDocument": {"Key": document}})
    assert (got.status, got.key, got.code) == (404, None, "NoSuchKey")


def test_an_error_document_may_redirect():
    got = get("/nothing", INDEX | {"ErrorDocument": {"Key": "moved.html"}})
    assert (got.status, got.location) == (301, f"http://{HOST}/404.html")


def test_an_object_can_send_visitors_on():
    """"Redirect requests for an object": to a key, with a slash, or to a URL; the website answers 301."""
    assert (get("/old.html").status, get("/old.html").location) == (301, f"http://{HOST}/new.html")
    assert get("/away").location == "https://www.example.com/"


def ruled(condition, **redirect):
    rule = {"Redirect": redirect} | ({"Condition": condition} if condition else {})
    return INDEX | {"RoutingRules": [rule]}


def test_a_renamed_prefix():
    """"Redirection rules examples", example 1."""
    renamed = ruled({"KeyPrefixEquals": "docs/"}, ReplaceKeyPrefixWith="documents/")
    got = get("/docs/article1.html", renamed)
    assert (got.status, got.location) == (301, f"http://{HOST}/documents/article1.html")
    assert get("/photo.jpg", renamed).status == 200


def test_a_deleted_folder():
    """Example 2: a page for all of a folder."""
    got = get("/images/a/b.png", ruled({"KeyPrefixEquals": "images/"}, ReplaceKeyWith="folderdeleted.html"))
    assert got.location == f"http://{HOST}/folderdeleted.html"


def test_a_host_for_what_is_not_found():
    """Example 3: another host, and report-404/ before the key; only for a 404."""
    other = ruled({"HttpErrorCodeReturnedEquals": "404"}, HostName="ec2-11-22-333-44.compute-1.amazonaws.com",
                  ReplaceKeyPrefixWith="report-404/")
    got = get("/ExamplePage.html", other)
    assert (got.status, got.location) == (301, "http://ec2-11-22-333-44.compute-1.amazonaws.com/report-404/ExamplePage.html")
    assert get("/photo.jpg", other).status == 200 and get("/secret.html", other).status == 403


def test_prefix_and_error_must_both_be_met():
    """"If both are specified, both must be true"; otherwise the error document comes."""
    both = ruled({"HttpErrorCodeReturnedEquals": "404", "KeyPrefixEquals": "docs/"}, ReplaceKeyWith="sorry.html",
                 HttpRedirectCode="307", Protocol="https") | {"ErrorDocument": {"Key": "404.html"}}
    assert (get("/docs/x", both).status, get("/docs/x", both).location) == (307, f"https://{HOST}/sorry.html")
    assert get("/x", both).key == "404.html"


def test_a_rule_without_condition_is_for_all():
    got = get("/photo.jpg", ruled(None, HostName="www.example.com", Protocol="https"))
    assert got.location == "https://www.example.com/photo.jpg"


def test_all_requests_to_another_host():
    got = get("/a/b", {"RedirectAllRequestsTo": {"HostName": "example.com"}})
    assert (got.status, got.location) == (301, "http://example.com/a/b")
    secure = get("/", {"RedirectAllRequestsTo": {"HostName": "example.com", "Protocol": "https"}})
    assert secure.location == "https://example.com/"


def test_browsers_only_read():
    """"Website endpoints", key differences: only GET and HEAD requests on objects; HTTP only."""
    assert [get("/photo.jpg", method=method).status for method in ("GET", "HEAD", "PUT", "POST", "DELETE")] == [
        200, 200, 405, 405, 405]
    assert get("/photo.jpg", method="PUT").code == "MethodNotAllowed"


def test_no_configuration_and_requester_pays():
    """"Requester Pays buckets do not allow access through a website endpoint": 403."""
    assert (get("/", None).status, get("/", None).code) == (404, "NoSuchWebsiteConfiguration")
    assert get("/photo.jpg", requester_pays=True).status == 403


@pytest.mark.parametrize("region, host", [
    ("us-east-1", "shop.s3-website-us-east-1.amazonaws.com"), ("eu-west-1", "shop.s3-website-eu-west-1.amazonaws.com"),
    ("us-east-2", "shop.s3-website.us-east-2.amazonaws.com"), ("ap-south-1", "shop.s3-website.ap-south-1.amazonaws.com"),
    ("eu-central-1", "shop.s3-website.eu-central-1.amazonaws.com")])
def test_the_host_name_has_a_dash_or_a_dot(region, host):
    """"Website endpoints"; General Reference, "Amazon Simple Storage Service endpoints and quotas"."""
    assert endpoint("shop", region) == host


@pytest.mark.parametrize("configuration, code", [
    ({}, "InvalidArgument"), ({"IndexDocument": {"Suffix": "a/b"}}, "InvalidArgument"),
    ({"IndexDocument": {"Suffix": ""}}, "InvalidArgument"), (INDEX | {"ErrorDocument": {"Key": ""}}, "InvalidArgument"),
    (INDEX | {"RedirectAllRequestsTo": {"HostName": "x"}}, "InvalidArgument"),
    ({"RedirectAllRequestsTo": {"HostName": "x", "Protocol": "ftp"}}, "InvalidRequest"),
    (ruled({"KeyPrefixEquals": "a"}), "MalformedXML"),
    (INDEX | {"RoutingRules": [{"Condition": {}, "Redirect": {"HostName": "x"}}]}, "InvalidRequest"),
    (ruled(None, ReplaceKeyWith="a", ReplaceKeyPrefixWith="b"), "InvalidRequest"),
    (ruled(None, HttpRedirectCode="300"), "InvalidRequest"), (ruled(None, Protocol="ftp"), "InvalidRequest"),
    (ruled({"HttpErrorCodeReturnedEquals": "302"}, HostName="x"), "InvalidRequest"),
    (INDEX | {"RoutingRules": [{"Redirect": {"HostName": "x"}}] * 51}, "InvalidRequest")])
def test_configurations_that_are_refused(configuration, code):
    """PutBucketWebsite: 50 routing rules; the index suffix "must not be empty and must not include a slash"."""
    with pytest.raises(ServiceError) as caught:
        check_website(configuration)
    assert caught.value.code == code


def test_configurations_that_are_fine():
    check_website(ERROR)
    check_website({"RedirectAllRequestsTo": {"HostName": "example.com"}})
    check_website(INDEX | {"RoutingRules": [{"Redirect": {"HostName": "x", "HttpRedirectCode": "308"}}] * 50})
