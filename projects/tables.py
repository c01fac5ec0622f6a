"""The table of `/projects/`: columns, order and pages by django-tables2; the template draws the cells."""

import django_tables2 as tables
from django.db.models import F


class FactColumn(tables.Column):
    """A column that sorts by a field or annotation, missing values last, ties by code so that pages do not overlap."""

    def __init__(self, label: str, sort: str, css: str = ""):
        super().__init__(verbose_name=label, accessor=sort, order_by=sort)
        self.sort, self.css = sort, css

    def order(self, queryset, is_descending):
        key = F(self.sort).desc(nulls_last=True) if is_descending else F(self.sort).asc(nulls_last=True)
        return queryset.order_by(key, "code"), True


class ProjectListTable(tables.Table):
    number = FactColumn("序号", "number", "number")
    name = FactColumn("项目名称", "v__name")
    county = FactColumn("县（市、区）", "v__county__position", "nowrap")
    domain = FactColumn("领域", "domain__position", "nowrap")
    stage = FactColumn("状态", "stage", "nowrap")
    progress = FactColumn("总体进度 %", "physical_progress", "number")
    planned = FactColumn("计划 %", "planned_progress", "number")
    lag = FactColumn("序时差", "lag", "number")
    investment = FactColumn("总投资 万元", "v__total_investment_wan", "number")
    invested = FactColumn("完成投资 万元", "invested_wan", "number")
    finish = FactColumn("基线完工", "v__baseline_finish_on", "nowrap")
    reported = FactColumn("最近一报", "week_of", "nowrap")

    class Meta:
        order_by_field = "sort"
