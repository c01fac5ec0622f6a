from django.http import Http404


def section(request, pk: int):
    raise Http404
