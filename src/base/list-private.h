/* SPDX-License-Identifier: MIT */
/* EddyList: an intrusive, doubly linked ring. A list's head and its members are the same record. */
#pragma once

#include <stdbool.h>

typedef struct EddyList EddyList;
struct EddyList {
    EddyList *prev;
    EddyList *next;
};

static inline void eddy__list_init (EddyList *list)
{
    list->prev = list;
    list->next = list;
}

static inline bool eddy__list_is_empty (const EddyList *list)
{
    return list->next == list;
}

/* Whether a member is in a list; it must have been initialised, or removed. */
static inline bool eddy__list_is_linked (const EddyList *member)
{
    return member->next != member;
}

static inline void eddy__list_append (EddyList *list, EddyList *member)
{
    member->prev = list->prev;
    member->next = list;
    list->prev->next = member;
    list->prev = member;
}

/* Leaves the member initialised; removing it again does nothing. */
static inline void eddy__list_remove (EddyList *member)
{
    member->prev->next = member->next;
    member->next->prev = member->prev;
    eddy__list_init (member);
}

/* Takes the first member out; NULL when there is none. */
static inline EddyList *eddy__list_pop (EddyList *list)
{
    EddyList *first = list->next;
    if (first == list)
        return (EddyList *) 0;
    eddy__list_remove (first);
    return first;
}

/* Moves every member of `from` to the end of `list`. */
static inline void eddy__list_splice (EddyList *list, EddyList *from)
{
    if (eddy__list_is_empty (from))
        return;
    from->next->prev = list->prev;
    list->prev->next = from->next;
    from->prev->next = list;
    list->prev = from->prev;
    eddy__list_init (from);
}
