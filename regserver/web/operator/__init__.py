"""The operator's page below /operator: the use cases of `regserver.service.operator`, by links and forms, without scripts.

session.py      who is signed in, by a cookie; whether a form is our own
entry_page.py   in and out
view.py         what a page consists of; frame.py renders it
*_view.py       the pages, one module for each kind of thing
*_act.py        what can be done, as rows of a table; act_page.py serves all of them
"""
