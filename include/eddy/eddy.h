/* SPDX-License-Identifier: MIT */
/* Everything of Eddy's public interface. */
#ifndef EDDY_EDDY_H
#define EDDY_EDDY_H

#include <eddy/blocking.h>
#include <eddy/broadcast.h>
#include <eddy/bytes.h>
#include <eddy/cancellable.h>
#include <eddy/channel.h>
#include <eddy/combinators.h>
#include <eddy/condition.h>
#include <eddy/context.h>
#include <eddy/error.h>
#include <eddy/fd.h>
#include <eddy/fiber.h>
#include <eddy/file-info.h>
#include <eddy/file.h>
#include <eddy/future.h>
#include <eddy/group.h>
#include <eddy/log.h>
#include <eddy/macros.h>
#include <eddy/main-loop.h>
#include <eddy/mutex.h>
#include <eddy/object.h>
#include <eddy/place.h>
#include <eddy/pool.h>
#include <eddy/post.h>
#include <eddy/rw-lock.h>
#include <eddy/select.h>
#include <eddy/semaphore.h>
#include <eddy/sequence.h>
#include <eddy/source.h>
#include <eddy/system.h>
#include <eddy/task.h>
#include <eddy/value.h>
#include <eddy/version.h>
#include <eddy/watch.h>

#endif
