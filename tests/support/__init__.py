"""Servers, programs and plug-ins that go wrong on purpose."""
