from django.http import Http404


def edit(request, pk: int):
    raise Http404
