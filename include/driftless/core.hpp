// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CORE_HPP
#define DRIFTLESS_CORE_HPP

#include <driftless/core/account.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/executor.hpp>
#include <driftless/core/ill_formed.hpp>
#include <driftless/core/joined.hpp>
#include <driftless/core/name.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/core/place.hpp>
#include <driftless/core/projection.hpp>
#include <driftless/core/reflect.hpp>
#include <driftless/core/result.hpp>
#include <driftless/core/services.hpp>
#include <driftless/core/sink.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/core/stream.hpp>
#include <driftless/core/text.hpp>
#include <driftless/core/time.hpp>
#include <driftless/core/transactional_sink.hpp>

#endif
