from __future__ import annotations

import re

from cascade import releases
from cascade.compose import write
from cascade.enums import WaveKind
from cascade.message import Slots
from cascade.models import Hop
from tests.cms.test_files import picture
from tests.factories.cascade import AnnouncementPageFactory, CascadeFactory
from tests.factories.cms import block, trees


def test_recall_takes_back_the_pictures_of_its_mails_and_no_others(
    distributor, vendor_editor, client, django_capture_on_commit_callbacks
):
    trees()
    page = AnnouncementPageFactory(body=[block("image", {"image": picture().pk, "alt": "A router"})])
    cascades = [CascadeFactory(page=page, distributors=[distributor]) for _n in range(2)]
    urls = []
    for cascade in cascades:
        hop = Hop.objects.get(cascade=cascade, organization=distributor)
        mail = write(hop, "en", kind=WaveKind.INITIAL, base_url="https://portal.example", slots=Slots())
        urls += re.findall(r"https://portal\.example(/mail-images/[^\"]+)", mail.html)
    assert [client.get(url).status_code for url in urls] == [200, 200]

    with django_capture_on_commit_callbacks(execute=True):
        releases.recall(cascades[0], "The price was wrong.", by=vendor_editor)

    assert [client.get(url).status_code for url in urls] == [404, 200]
