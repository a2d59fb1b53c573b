/* SPDX-License-Identifier: MIT */
/* Sources of sockets. */
#include "sockets.h"

/* What a source's callback has been told. */
typedef struct Told {
    EddyContext *context;
    EddySocket *socket;
    int calls;
    int condition;
} Told;

static bool source_told (EddySocket *socket, int condition, void *user_data)
{
    Told *told = user_data;
    ck_assert_ptr_eq (socket, told->socket);
    told->calls++;
    told->condition = condition;
    return EDDY_SOURCE_CONTINUE;
}

static EddySource *source_begin (Told *told, int condition, EddyCancellable *cancellable)
{
    EddySource *source = eddy_socket_create_source (told->socket, condition, cancellable);
    ck_assert_ptr_nonnull (source);
    eddy_source_set_callback (source, EDDY_SOURCE_FUNC (source_told), told, NULL);
    ck_assert_uint_ne (eddy_source_attach (source, told->context), 0);
    return source;
}

static void source_expect_quiet (Told *told)
{
    for (int i = 0; i < 5; i++)
        eddy_context_iteration (told->context, false);
    ck_assert_int_eq (told->calls, 0);
}

static void source_expect (Told *told, int condition)
{
    while (told->calls == 0)
        eddy_context_iteration (told->context, true);
    ck_assert_int_eq (told->condition, condition);
    told->calls = 0;
}

EDDY_TEST (D_socket_source_tells_readiness)
{
    SocketPair pair = socket_connect_tcp ();
    Told told = { .context = eddy_test_context_begin (), .socket = pair.client };
    EddySource *source = source_begin (&told, POLLIN, NULL);
    source_expect_quiet (&told);
    socket_send_text (pair.server, "x");
    source_expect (&told, POLLIN);
    source_expect (&told, POLLIN); /* it is still there */
    socket_expect_text (pair.client, "x");
    told.calls = 0;
    eddy_context_iteration (told.context, false);
    told.calls = 0;
    source_expect_quiet (&told);
    eddy_source_destroy (source);
    eddy_unref (source);
    socket_pair_end (&pair);
    eddy_test_context_end (told.context);
}

/* One that was attached before the close, one that is attached after it. */
EDDY_TEST (N4_source_of_a_closed_socket)
{
    for (int late = 0; late < 2; late++) {
        SocketPair pair = socket_connect_tcp ();
        Told told = { .context = eddy_test_context_begin (), .socket = pair.client };
        EddySource *source = late != 0 ? NULL : source_begin (&told, POLLIN, NULL);
        if (source != NULL)
            source_expect_quiet (&told);
        ck_assert (eddy_socket_close (pair.client, NULL));
        if (source == NULL)
            source = source_begin (&told, POLLIN, NULL);
        source_expect (&told, POLLNVAL);
        source_expect_quiet (&told); /* once, though the callback would go on */
        ck_assert (eddy_source_is_destroyed (source));
        ck_assert (eddy_socket_close (pair.client, NULL));
        eddy_unref (source);
        socket_pair_end (&pair);
        eddy_test_context_end (told.context);
    }
}

EDDY_TEST (N5_source_is_triggered_by_a_cancel)
{
    SocketPair pair = socket_connect_tcp ();
    Told told = { .context = eddy_test_context_begin (), .socket = pair.client };
    EddyCancellable *cancellable = eddy_cancellable_new ();
    EddySource *source = source_begin (&told, POLLIN, cancellable);
    source_expect_quiet (&told);
    eddy_cancellable_cancel (cancellable);
    source_expect (&told, 0);
    eddy_source_destroy (source);
    eddy_unref (source);
    eddy_unref (cancellable);
    socket_pair_end (&pair);
    eddy_test_context_end (told.context);
}

/* Never attached, and destroyed before the close. */
EDDY_TEST (D_socket_source_that_has_gone)
{
    SocketPair pair = socket_connect_tcp ();
    Told told = { .context = eddy_test_context_begin (), .socket = pair.client };
    EddySource *source = source_begin (&told, POLLIN, NULL);
    EddySource *unused = eddy_socket_create_source (pair.client, POLLOUT, NULL);
    EddySource *unused_and_gone = eddy_socket_create_source (pair.client, POLLOUT, NULL);
    eddy_unref (unused_and_gone);
    eddy_source_destroy (source);
    ck_assert (eddy_socket_close (pair.client, NULL));
    source_expect_quiet (&told);
    eddy_unref (source);
    eddy_unref (unused);
    socket_pair_end (&pair);
    eddy_test_context_end (told.context);
}

/* Those that are left are told, whichever has gone before. */
EDDY_TEST (D_socket_sources_that_are_left_are_told)
{
    enum { SOURCES = 3 };
    for (int gone = 0; gone < SOURCES; gone++) {
        SocketPair pair = socket_connect_tcp ();
        EddyContext *context = eddy_test_context_begin ();
        EddySource *sources[SOURCES];
        Told told[SOURCES];
        for (int i = 0; i < SOURCES; i++) {
            told[i] = (Told){ .context = context, .socket = pair.client };
            sources[i] = source_begin (&told[i], POLLIN, NULL);
        }
        eddy_source_destroy (sources[gone]);
        eddy_clear (&sources[gone]);
        ck_assert (eddy_socket_close (pair.client, NULL));
        for (int i = 0; i < SOURCES; i++) {
            if (i == gone)
                source_expect_quiet (&told[i]);
            else
                source_expect (&told[i], POLLNVAL);
            eddy_unref (sources[i]);
        }
        ck_assert_int_eq (told[gone].calls, 0);
        socket_pair_end (&pair);
        eddy_test_context_end (context);
    }
}

EDDY_TEST (D_socket_condition_check)
{
    SocketPair pair = socket_connect_tcp ();
    ck_assert_int_eq (eddy_socket_condition_check (pair.client, POLLIN), 0);
    ck_assert_int_eq (eddy_socket_condition_check (pair.client, POLLIN | POLLOUT), POLLOUT);
    socket_send_text (pair.server, "x");
    struct pollfd wait = { eddy_socket_get_fd (pair.client), POLLIN, 0 };
    ck_assert_int_eq (poll (&wait, 1, -1), 1);
    ck_assert_int_eq (eddy_socket_condition_check (pair.client, POLLIN), POLLIN);
    ck_assert_int_eq (eddy_socket_get_available_bytes (pair.client), 1);
    socket_pair_end (&pair);
}
