// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_STATE_BYTES_HPP
#define DRIFTLESS_RUN_DETAIL_STATE_BYTES_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/checksum.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/core/error.hpp>
#include <driftless/run/detail/snapshot_visitors.hpp>
#include <driftless/run/fingerprint.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// What job::snapshot() returns: version, checksum, fingerprint, records and failures, offsets by lane, what the watch
// keeps (a batch has none that does), and the state of all stages.

namespace driftless::inline v0::detail {

inline constexpr std::uint32_t state_bytes_version = 5;

template <class Engine, class Watch>
std::string state_bytes(Engine& engine, Watch& watch) {
    std::string body;
    byte_writer out{body};
    out.write(fingerprint(engine.pipeline())).write(engine.records()).write(engine.failures());
    out.write(static_cast<std::uint64_t>(engine.lanes().size()));
    for (auto const* const each : engine.lanes()) out.write(each->next);
    if constexpr (requires { watch.save(out); }) watch.save(out);
    engine.visit_state(save_visitor{body});
    std::string whole;
    byte_writer{whole}.write(state_bytes_version).write(xxh3_64(body.data(), body.size()));
    return whole += body;
}

/// Errors      malformed (other bytes than were written), mismatch (another version, another pipeline, other inputs).
template <class Engine, class Watch>
void take_state(Engine& engine, Watch& watch, std::string_view bytes) {
    byte_reader head{bytes};
    if (head.read<std::uint32_t>() != state_bytes_version) {
        throw error{error_code::mismatch, "the snapshot has another version than this library writes"};
    }
    auto const sum = head.read<std::uint64_t>();
    auto const body = bytes.substr(static_cast<std::size_t>(head.offset()));
    if (sum != xxh3_64(body.data(), body.size())) {
        throw error{error_code::malformed,
            "the snapshot is damaged: its checksum is " + std::to_string(xxh3_64(body.data(), body.size()))
                + " and should be " + std::to_string(sum)};
    }
    byte_reader in{body};
    if (in.read<std::uint64_t>() != fingerprint(engine.pipeline())) {
        throw error{error_code::mismatch,
            "the snapshot is of another pipeline (operators, parameters or records differ): restore it "
            "into the pipeline it was taken from, or start without it"};
    }
    auto const records = in.read<std::uint64_t>();
    auto const failures = in.read<std::uint64_t>();
    if (in.read<std::uint64_t>() != engine.lanes().size()) {
        throw error{error_code::mismatch, "the snapshot has another number of partitions than the inputs"};
    }
    for (auto* const each : engine.lanes()) each->idle = false;
    engine.extend();
    for (auto* const each : engine.lanes()) {
        auto const next = in.read<std::uint64_t>();
        if (next > each->end) {
            throw error{error_code::mismatch,
                "the snapshot has read up to offset " + std::to_string(next) + " and the input ends at "
                    + std::to_string(each->end) + ": it is another log, or a shorter one"};
        }
        each->next = next;
        each->looked = false;
    }
    if constexpr (requires { watch.load(in); }) watch.load(in);
    engine.visit_state(load_visitor{in});
    in.expect_end();
    engine.resume(records, failures);
}
}  // namespace driftless::inline v0::detail
#endif
