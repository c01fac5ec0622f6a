"""What the list of projects can be narrowed by; the address carries it."""

import django_filters as filters
from django.db.models import Q

from linfen_water.models import County, Domain
from projects.enums import Stage


class ProjectListFilter(filters.FilterSet):
    q = filters.CharFilter(label="查找", method="search", max_length=60)
    county = filters.ModelChoiceFilter(
        label="县（市、区）", field_name="v__county", queryset=County.objects.all(), to_field_name="code", empty_label="全部"
    )
    domain = filters.ModelChoiceFilter(
        label="领域", field_name="domain", queryset=Domain.objects.all(), to_field_name="name", empty_label="全部"
    )
    stage = filters.ChoiceFilter(label="状态", choices=[(str(s.value), s.label) for s in Stage], empty_label="全部")

    def search(self, queryset, name: str, text: str):
        """Every word must be found in the code, the number or the name."""
        for word in text.split():
            found = Q(code__icontains=word) | Q(v__name__icontains=word)
            if word.isascii() and word.isdigit() and len(word) <= 5:
                found |= Q(number=int(word))
            queryset = queryset.filter(found)
        return queryset
