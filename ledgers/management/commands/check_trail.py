"""Prove that the trail is whole: `check_trail`; exit code 1 when it is not."""

import hashlib
import json

from django.core.management.base import BaseCommand, CommandError

from ledgers.intake_models import IntakeFile
from ledgers.models import Document
from linfen_water import trail, trail_check
from linfen_water.models import TrailEvent


class Command(BaseCommand):
    help = "核对留痕是否完整：逐链核对每条的摘要、链首、触发器，以及已印发文件和导入文件所依据的数据。"

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", dest="as_json", help="以 JSON 输出结果 (print the result as JSON)")

    def handle(self, *, as_json: bool, **options):
        found = trail_check.check()
        faults = [*found.faults, *self.anchors()]
        if as_json:
            self.stdout.write(self.as_json(found, faults))
        else:
            for fault in faults:
                where = f"{fault.chain}第{fault.position}条" if fault.position else fault.chain
                self.stderr.write(f"不完整　{where}：{fault.sentence}　({fault.english})")
            if not faults:
                self.stdout.write(f"留痕完整：{found.chains}条链，{found.events}条事件。")
                self.stdout.write(f"The trail is whole: {found.chains} chains, {found.events} events.")
        if faults:
            raise CommandError(f"留痕不完整，有{len(faults)}处问题 / the trail is not whole: {len(faults)} faults.")

    def anchors(self):
        """Issued papers were made at a length of the trail: a shorter one was cut."""
        now = trail.data_version()
        beyond = Document.objects.filter(number__isnull=False, data_version__gt=now)
        for title, version in beyond.values_list("title", "data_version"):
            yield trail_check.Fault(
                "", None, f"文件“{title}”依据的留痕有 {version} 条，现在只有 {now} 条", f"a paper rests on {version} events, {now} found"
            )
        kept = TrailEvent.objects.filter(action="intake.file").order_by().values_list("subject_id", flat=True)
        yield from _missing_files(list(kept))

    def as_json(self, found, faults) -> str:
        said = [{"chain": f.chain, "position": f.position, "sentence": f.sentence, "english": f.english} for f in faults]
        return json.dumps({"chains": found.chains, "events": found.events, "faults": said}, ensure_ascii=False)


def _missing_files(keys: list[str]):
    """Tables that were taken in must still be there, as they were."""
    for kept in IntakeFile.objects.filter(pk__in=[key for key in keys if key.isdigit()]):
        if not kept.path.is_file():
            yield trail_check.Fault("", None, f"导入文件“{kept}”不在本机", f"import file {kept.pk} is missing")
        elif hashlib.sha256(kept.path.read_bytes()).hexdigest() != kept.sha256:
            yield trail_check.Fault("", None, f"导入文件“{kept}”已被改动", f"import file {kept.pk} was changed")
