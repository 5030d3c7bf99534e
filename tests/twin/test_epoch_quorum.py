#!/usr/bin/python3
"""The policy's quorum, asked of each epoch as far as it was that of its sites: of the first one up to where the next goes on, of a later one
where its own log names them as cosigners. Both verifiers, in pools and exports.

    tests/twin/test_epoch_quorum.py [CASE...]
"""
import sys

import sample
from test_grafts import access, export, pool
from test_promoted import before, hearing
from threat_case import VERIFY, judge, run_cases, run_verifier


def copied(case, name_it=True, revoke_it=False):
    """A promoted archive, of which a third site has copied the first epoch, and is named as a cosigner by the second one."""
    before(case)
    case.third = sample.Key("third.test.example/holder", 4)
    if not name_it:
        name(case)
    case.archive.promote(case.officers)
    case.old, case.new = case.archive.epochs
    case.old.cosigned = [(case.third, None)]
    if name_it:
        name(case)
    if revoke_it:
        name(case, action="revoked", why="retired")
    case.archive.file(case.across, case.across.commits[1:])
    case.between = len(case.archive.entries)
    case.late = case.archive.file(hearing(case, 2).usual(2))
    return case


def name(case, **more):
    case.archive.add_key("cosigner", case.third.name, case.third, cosigner=case.third.vkey(), **more)


def policy(case, group="all", more=""):
    return case.archive.policy().replace("quorum dr", f"witness third {case.third.vkey()}\n{more}group both {group} dr third\nquorum both")


def verified(case, **how):
    for paths in pool(case), pool(case, as_copy=True), export(case, case.first), export(case, case.across), export(case, case.late):
        judge(case, paths, "VERIFIED", policy=policy(case, **how))


def a_site_that_the_epoch_names_has_signed_it(case):
    copied(case)
    case.new.cosigned = [(case.third, None)]
    verified(case)


def it_has_signed_nothing_of_it(case):
    copied(case)
    for group in ("all", "any", "2"):
        text = policy(case, group)
        judge(case, pool(case), "INCOMPLETE", "quorum", policy=text, log="main")
        judge(case, pool(case), "INCOMPLETE", "quorum", policy=text, hearing=case.late.id)
        judge(case, export(case, case.late), "INCOMPLETE", "quorum", policy=text, hearing=case.late.id)
        judge(case, export(case, case.first), "VERIFIED", policy=text)


def it_has_signed_a_part_of_it(case):
    copied(case)
    case.new.cosigned = [(case.third, case.between)]
    text = policy(case)
    judge(case, pool(case), "INCOMPLETE", "quorum", policy=text, hearing=case.late.id)
    case.archive.hearings.remove(case.late)
    del case.archive.entries[case.between:]
    access(case)  # what is not signed yet closes no hearing
    judge(case, pool(case), "VERIFIED", policy=text)


def a_site_that_only_the_first_epoch_names_is_not_asked(case):
    copied(case, name_it=False)
    verified(case)


def a_site_that_the_epoch_names_no_more_is_not_asked(case):
    copied(case, revoke_it=True)
    verified(case)


def a_site_with_another_key_is_not_the_one_of_the_policy(case):
    copied(case, name_it=False)
    other = sample.Key(case.third.name, 4)
    case.archive.add_key("cosigner", other.name, other, cosigner=other.vkey())
    verified(case)


def groups_in_groups(case):
    """A group of which no site had a part in the epoch is not asked, and asks nobody else for more."""
    copied(case)
    apart = sample.Key("apart.test.example/holder", 4)
    case.old.cosigned.append((apart, None))
    more = f"witness apart {apart.vkey()}\ngroup away all apart\n"
    text = policy(case, more=more).replace("dr third", "dr third away")
    judge(case, pool(case), "INCOMPLETE", "quorum", policy=text, hearing=case.late.id)
    case.new.cosigned = [(case.third, None)]
    for paths in pool(case), export(case, case.late):
        judge(case, paths, "VERIFIED", policy=text)


def the_first_epoch_is_asked_up_to_where_the_next_goes_on(case):
    copied(case, name_it=False)
    case.old.cosigned = [(case.third, case.old.pin - 1)]
    text = policy(case)
    for paths in pool(case), export(case, case.late):
        judge(case, paths, "INCOMPLETE", "quorum", policy=text, hearing=case.late.id)
    case.old.cosigned = []
    judge(case, pool(case), "INCOMPLETE", "quorum", policy=text, log="main")
    case.old.cosigned = [(case.third, case.old.pin)]
    verified(case)


def who_signed_a_later_epoch_has_signed_the_ones_before(case):
    """The site that copies the archive now, and had no part in the epoch before."""
    copied(case)
    case.old.cosigned, case.new.cosigned = [], [(case.third, None)]
    verified(case)
    case.new.cosigned = [(case.third, 1)]
    volumes = pool(case)
    judge(case, volumes, "INCOMPLETE", "quorum", policy=policy(case), hearing=case.late.id)
    logs = run_verifier([VERIFY], case.folder / "policy.txt", volumes, None)[1]["logs"]
    assert [log["covered"] for log in logs] == [case.old.pin, 1], logs


def a_false_line_is_false_whoever_is_asked(case):
    copied(case, name_it=False)
    line = case.third.line
    case.third.line = lambda text, name=None, at=None: line(text + "x")
    case.old.cosigned, case.new.cosigned = [], [(case.third, None)]
    judge(case, pool(case), "TAMPERED", "cosignature-bad", policy=policy(case))


CASES = [a_site_that_the_epoch_names_has_signed_it, it_has_signed_nothing_of_it, it_has_signed_a_part_of_it,
         a_site_that_only_the_first_epoch_names_is_not_asked, a_site_that_the_epoch_names_no_more_is_not_asked,
         a_site_with_another_key_is_not_the_one_of_the_policy, groups_in_groups, the_first_epoch_is_asked_up_to_where_the_next_goes_on,
         who_signed_a_later_epoch_has_signed_the_ones_before, a_false_line_is_false_whoever_is_asked]


if __name__ == "__main__":
    sys.exit(run_cases(CASES))
