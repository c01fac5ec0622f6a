from django.http import Http404


def section_works(request, pk: int):
    raise Http404
