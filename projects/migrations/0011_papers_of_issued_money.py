"""Every amount that was issued before papers were kept becomes a paper, so that what is issued is always their sum."""

from django.db import migrations

BATCH = 1000


def write_papers(apps, schema_editor):
    source, paper = apps.get_model("projects", "FundingSource"), apps.get_model("projects", "FundingPaper")
    known = paper.objects.values("source")
    found = source.objects.exclude(pk__in=known).exclude(issued_wan=None).exclude(issued_wan=0).select_related("project")
    paper.objects.bulk_create(
        (
            paper(
                source=row,
                doc_number=row.issued_doc,
                issued_on=row.issued_on or row.project.listed_on,
                amount_wan=row.issued_wan,
                note="" if row.issued_doc else "文号未登记",
            )
            for row in found
        ),
        batch_size=BATCH,
    )


class Migration(migrations.Migration):
    dependencies = [("projects", "0010_funding_in_force")]
    operations = [migrations.RunPython(write_papers, migrations.RunPython.noop)]
