from tests.abuse.corpora.verdicts import PAGE, page


def test_the_page_of_verdicts_is_what_the_tests_hold_the_service_to():
    assert PAGE.read_text() == page(), "run: python -m tests.abuse.corpora.verdicts"
