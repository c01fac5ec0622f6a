"""What is typed of the water: a file or table of values on its way in, and what a section is."""

import datetime as dt

from django import forms

from monitoring import limits, periods
from monitoring.enums import Level, WaterBody, WaterClass
from monitoring.intake import feed
from monitoring.models import Section, SectionTarget
from monitoring.recording import REASON_LENGTH

LONGEST_TEXT = 2_000_000  # characters of a pasted table
EARLIEST_YEAR = 2000


# ── Values ───────────────────────────────────────────────────────────────────────────────────────────────────────────
class ValuesForm(forms.Form):
    """A file or a pasted table, what it holds and why; after the first step it is kept, and `kept` is its hash."""

    MANUAL, AUTOMATIC = "manual", "automatic"

    file = forms.FileField(label="文件（.xlsx、.csv 或国家自动站 .json）", required=False, allow_empty_file=True)
    text = forms.CharField(
        label="或粘贴表格",
        required=False,
        strip=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea,
        error_messages={"max_length": "粘贴的内容过长：请存成文件后导入。"},
    )
    way = forms.ChoiceField(
        label="数据性质",
        choices=[(MANUAL, "手工监测（实验室数据，用于评价）"), (AUTOMATIC, "自动站（每4小时一组，不参与评价）")],
        initial=MANUAL,
        widget=forms.RadioSelect,
        error_messages={"required": "请选择是手工监测还是自动站数据。", "invalid_choice": "请选择是手工监测还是自动站数据。"},
    )
    year = forms.IntegerField(
        label="年份（只用于国家自动站 .json）",
        required=False,
        min_value=EARLIEST_YEAR,
        error_messages={"invalid": "年份写成四位数，例如 2025；留空则自动判断。", "min_value": f"年份不早于{EARLIEST_YEAR}。"},
    )
    reason = forms.CharField(
        label="更正理由",
        required=False,
        max_length=REASON_LENGTH,
        error_messages={"max_length": "最多 %(limit_value)s 字，现为 %(show_value)s 字。"},
    )
    kept = forms.RegexField(r"^[0-9a-f]{64}$", required=False)
    name = forms.CharField(required=False, max_length=300)
    is_paste = forms.BooleanField(required=False)

    def __init__(self, *args, today: dt.date, **kwargs):
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file and file.size > feed.LARGEST:
            raise forms.ValidationError(f"文件超过 {feed.LARGEST >> 20} MB：请分成几个文件导入。")
        if file is not None and not file.size:
            raise forms.ValidationError("文件是空的，请重新选择。")
        return file

    def clean_year(self):
        year = self.cleaned_data["year"]
        if year and year > self.today.year:
            raise forms.ValidationError(f"年份不晚于{self.today.year}。")
        return year


# ── A section ────────────────────────────────────────────────────────────────────────────────────────────────────────
DAY = {"invalid": "日期请按 2025-01-31 填写。"}
NO_TARGET = "——"


def x_choices() -> list[tuple[str, str]]:
    """Items that a section may have beside the five: those that the standard assesses."""
    table = limits.table()
    keys = [key for key in table.order if key not in limits.FIVE and any(_is_assessed(table, key, body) for body in WaterBody.values)]
    return [(key, table.name(key)) for key in keys]


def _is_assessed(table: limits.Limits, key: str, body: str) -> bool:
    limit = table.of(key, body)
    return limit is not None and limit.is_assessed


class SectionForm(forms.ModelForm):
    """What the office may say of a section. Targets are `target_2025` and so on."""

    x_items = forms.MultipleChoiceField(
        label="X项",
        required=False,
        choices=x_choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "没有这一项。"},
    )
    new_year = forms.IntegerField(label="年度", required=False, error_messages={"invalid": "年度写成四位数，例如 2026。"})
    new_target = forms.TypedChoiceField(
        label="目标", required=False, choices=[("", NO_TARGET), *WaterClass.choices], coerce=int, empty_value=None
    )
    reason = forms.CharField(
        label="变更理由",
        max_length=REASON_LENGTH,
        error_messages={"required": "请写明变更理由，例如文号；会和变更一起留痕。", "max_length": "最多 %(limit_value)s 字。"},
    )

    class Meta:
        model = Section
        fields = [
            "level", "river", "order_along", "county", "water_body", "lon", "lat", "coord_quality", "x_items",
            "in_force_from", "in_force_to", "replaced_by", "station_name", "station_province",
        ]  # fmt: skip
        labels = {
            "in_force_from": "启用日",
            "in_force_to": "停用日（当日起不再监测）",
            "order_along": "沿河次序（距源头公里）",
            "lon": "经度（WGS84）",
            "lat": "纬度（WGS84）",
        }
        help_texts = {
            "level": "未明确的不要写成省考。",
            "order_along": "按示意河线量得，用于排序和上下游判断。",
            "coord_quality": "点位是怎样来的、大约差多少，例如“约3—6公里”。",
            "station_name": "国家自动站发布时用的名称；留空即断面名称。",
            "station_province": "同名断面在两个省时用来区分；留空即本省。",
            "water_body": "总磷的河流、湖库限值不同。",
        }
        error_messages = {
            "level": {"required": "请选择级别。", "invalid_choice": "没有这个级别。"},
            "river": {"required": "请选择河流。", "invalid_choice": "没有这条河流。"},
            "county": {"required": "请选择责任县（市、区）。", "invalid_choice": "没有这个县（市、区）。"},
            "water_body": {"required": "请选择水体。", "invalid_choice": "水体只有河流和湖库。"},
            "order_along": {"invalid": "填公里数，例如 123.4。"},
            "lon": {"required": "请填经度，例如 111.52。", "invalid": "经度填度数，例如 111.52。"},
            "lat": {"required": "请填纬度，例如 36.08。", "invalid": "纬度填度数，例如 36.08。"},
            "replaced_by": {"invalid_choice": "没有这个断面。"},
            "in_force_from": DAY,
            "in_force_to": DAY,
        }
        widgets = {name: forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d") for name in ("in_force_from", "in_force_to")}

    def __init__(self, data=None, *, instance: Section, today: dt.date):
        super().__init__(data, instance=instance)
        self.standing = {target.year: target.water_class for target in SectionTarget.objects.filter(section=instance)}
        self.years = sorted({*self.standing, today.year, today.year + 1})
        for year in self.years:
            self.fields[f"target_{year}"] = forms.TypedChoiceField(
                label=f"{year}年",
                required=False,
                choices=[("", NO_TARGET), *WaterClass.choices],
                coerce=int,
                empty_value=None,
                initial=self.standing.get(year, ""),
                error_messages={"invalid_choice": "没有这个类别。"},
            )
        self.fields["replaced_by"].queryset = Section.objects.exclude(pk=instance.pk)
        self.fields["replaced_by"].empty_label = NO_TARGET
        self.fields["level"].choices = Level.choices
        self.fields["water_body"].choices = WaterBody.choices
        for name in ("lon", "lat", "order_along"):
            self.fields[name].widget = forms.TextInput(attrs={"inputmode": "decimal"})
        for name, field in self.fields.items():
            field.widget.attrs.setdefault("autocomplete", "off")
            if self.errors_of(name):
                field.widget.attrs |= {"aria-invalid": "true", "aria-describedby": f"id_{name}-error"}

    def errors_of(self, name: str):
        return self.errors.get(name) if self.is_bound else None

    @property
    def target_fields(self):
        return [self[f"target_{year}"] for year in self.years]

    @property
    def targets(self) -> dict[int, int | None]:
        """The class by year; None: no target. Ask only when the form is valid."""
        found = {year: self.cleaned_data.get(f"target_{year}") for year in self.years}
        if self.cleaned_data.get("new_year"):
            found[self.cleaned_data["new_year"]] = self.cleaned_data["new_target"]
        return found

    @property
    def faults(self) -> list[tuple[str, str, str]]:
        """`[(id of the field, its label, sentence), …]` for the list above the form."""
        return [
            (f"id_{name}", self.fields[name].label or name, str(fault))
            for name, found in self.errors.items()
            if name in self.fields
            for fault in found
        ]

    def clean(self):
        cleaned = super().clean()
        self._check_place(cleaned)
        self._check_days(cleaned)
        year = cleaned.get("new_year")
        if year and not (EARLIEST_YEAR <= year <= 2100):
            self.add_error("new_year", f"年度在{EARLIEST_YEAR}到2100之间。")
        if year and not cleaned.get("new_target"):
            self.add_error("new_target", "请选择这一年的目标。")
        if cleaned.get("new_target") and not year:
            self.add_error("new_year", "请填写目标的年度。")
        if cleaned.get("water_body"):
            self._check_items(cleaned)
        return cleaned

    def _check_place(self, cleaned) -> None:
        for name, least, most in (("lon", 73, 136), ("lat", 3, 54)):
            value = cleaned.get(name)
            if value is not None and not least <= value <= most:
                self.add_error(name, f"{self.fields[name].label}应在{least}到{most}之间：请核对是否写反。")
        if (cleaned.get("order_along") or 0) < 0:
            self.add_error("order_along", "沿河次序不能是负数。")

    def _check_days(self, cleaned) -> None:
        starts_on, ends_on, successor = cleaned.get("in_force_from"), cleaned.get("in_force_to"), cleaned.get("replaced_by")
        if starts_on and ends_on and ends_on <= starts_on:
            self.add_error("in_force_to", "停用日须晚于启用日。")
        if successor and not ends_on:
            self.add_error("in_force_to", "由别的断面接替时，请填停用日。")
        if successor and _leads_to(successor, self.instance.pk):
            self.add_error("replaced_by", f"“{successor}”本身已由本断面接替，不能互相接替。")

    def _check_items(self, cleaned) -> None:
        table = limits.table()
        without = [table.name(key) for key in cleaned.get("x_items", []) if not _is_assessed(table, key, cleaned["water_body"])]
        if without:
            self.add_error("x_items", f"{'、'.join(without)}在这种水体没有参评限值。")


def _leads_to(section: Section, pk: int) -> bool:
    """Whether the successors of `section` come to the one of key `pk`."""
    seen: set[int] = set()
    while section is not None and section.pk not in seen:
        if section.pk == pk:
            return True
        seen.add(section.pk)
        section = section.replaced_by
    return False


# ── Differences ──────────────────────────────────────────────────────────────────────────────────────────────────────
class SpanForm(forms.Form):
    """Days from and to, and one section. The days of an empty form are its caller's."""

    start = forms.DateField(required=False, error_messages=DAY)
    end = forms.DateField(required=False, error_messages=DAY)

    def clean(self):
        cleaned = super().clean()
        for name in ("start", "end"):
            if cleaned.get(name) and cleaned[name].year < EARLIEST_YEAR:
                self.add_error(name, f"年份不早于{EARLIEST_YEAR}。")
        if cleaned.get("start") and cleaned.get("end") and cleaned["end"] < cleaned["start"]:
            self.add_error("end", "结束日不能早于开始日。")
        return cleaned


class ReassessForm(forms.Form):
    """From which month on a section is judged again, and why."""

    since = forms.CharField(
        label="从哪个月起", max_length=7, error_messages={"required": "请填月份，例如 2025-01。", "max_length": "月份写成 2025-01。"}
    )
    why = forms.CharField(label="理由", max_length=REASON_LENGTH, error_messages={"required": "请写明为什么重新评价。"})

    def clean_since(self) -> dt.date:
        try:
            return periods.read(self.cleaned_data["since"]).starts_on
        except ValueError:
            raise forms.ValidationError("月份写成 2025-01。") from None
