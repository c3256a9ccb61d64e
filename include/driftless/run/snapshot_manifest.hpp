// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_SNAPSHOT_MANIFEST_HPP
#define DRIFTLESS_RUN_SNAPSHOT_MANIFEST_HPP

#include <driftless/codec/checksum.hpp>
#include <driftless/codec/bytes.hpp>
#include <driftless/codec/detail/state_schemas.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace driftless::inline v0 {

/// Bytes of state: where they lie, and what they are if they are whole.
struct snapshot_extent {
    std::uint64_t file = 0;  ///< its place in snapshot_manifest::files
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::uint64_t checksum = 0;  ///< XXH3-64
    std::string part;            ///< what part of a member this is (a window); empty: what stands between parts

    friend bool operator==(snapshot_extent const&, snapshot_extent const&) = default;
};

/// An evolving type (codec/schema_evolution.hpp): its name, and its schema as it was.
using snapshot_type = detail::state_type;

/// The state that one stage shows: its extents one behind the other.
struct snapshot_member {
    std::string name;  ///< what the stage calls it: "aggregate", "watermark"
    std::string id;    ///< what the user named the operator; may be empty
    std::vector<snapshot_extent> extents;
    std::vector<snapshot_type> types;  ///< the evolving types in it, with their schemas

    friend bool operator==(snapshot_member const&, snapshot_member const&) = default;
};

/// How far a partition of an input had been read.
struct snapshot_input {
    std::string name;    ///< of the from<T>(...); empty for the only one
    std::string log;     ///< the id of the log; empty where it has none
    std::string schema;  ///< of its records
    std::uint32_t partition = 0;
    std::uint64_t offset = 0;  ///< of the next record

    friend bool operator==(snapshot_input const&, snapshot_input const&) = default;
};

/// An operator of the pipeline, as explain() says it.
struct snapshot_operator {
    std::string kind;
    std::string id;
    std::string text;  ///< with its parameters
    std::string rows;  ///< schema of what it yields
    std::string key;

    friend bool operator==(snapshot_operator const&, snapshot_operator const&) = default;
};

/// What a snapshot is of, and where its bytes are: written last, it makes the snapshot valid.
struct snapshot_manifest {
    std::string job;
    std::string library;  ///< the version of driftless that wrote it
    std::string logic_version;
    std::uint64_t number = 0;
    std::uint64_t instance = 0;  ///< the start of the job that took it
    std::uint64_t fingerprint = 0;
    std::uint64_t records = 0;  ///< read from all inputs
    std::uint64_t failures = 0;
    event_time taken_at;
    bool ended = false;  ///< the job had been drained: nothing comes after it
    std::vector<snapshot_operator> operators;
    std::vector<snapshot_input> inputs;
    std::vector<std::string> files;  ///< in the folder; those of earlier snapshots hold what has not changed since
    std::vector<snapshot_member> members;

    friend bool operator==(snapshot_manifest const&, snapshot_manifest const&) = default;
};

/// Number of the format of snapshot folders. Older ones keep opening.
inline constexpr std::uint32_t snapshot_format_version = 1;

namespace detail {
inline constexpr std::string_view snapshot_magic = "DRFTSNAP";

// By hand: what codec<T> makes of reflected structs would be compiled into every program that includes a job.
class manifest_writer {
    byte_writer out_;

public:
    explicit manifest_writer(std::string& out) : out_(out) {}

    void operator()(std::uint64_t n) { out_.put_varint(n); }
    void operator()(std::string_view t) {
        out_.put_varint(t.size());
        out_.put_bytes(t);
    }
    void operator()(snapshot_extent const& e) {
        (*this)(e.file), (*this)(e.offset), (*this)(e.size);
        out_.put_fixed64(e.checksum);
        (*this)(e.part);
    }
    void operator()(snapshot_member const& m) { (*this)(m.name), (*this)(m.id), all(m.extents), all(m.types); }
    void operator()(snapshot_type const& t) { (*this)(t.name), (*this)(t.schema); }
    void operator()(snapshot_input const& i) {
        (*this)(i.name), (*this)(i.log), (*this)(i.schema), (*this)(std::uint64_t{i.partition}), (*this)(i.offset);
    }
    void operator()(snapshot_operator const& o) {
        (*this)(o.kind), (*this)(o.id), (*this)(o.text), (*this)(o.rows), (*this)(o.key);
    }
    void operator()(snapshot_manifest const& m) {
        (*this)(m.job), (*this)(m.library), (*this)(m.logic_version), (*this)(m.number), (*this)(m.instance);
        out_.put_fixed64(m.fingerprint);
        (*this)(m.records), (*this)(m.failures);
        out_.put_zigzag(m.taken_at.ns());
        out_.put_byte(m.ended ? 1 : 0);
        all(m.operators), all(m.inputs), all(m.files), all(m.members);
    }

private:
    template <class T>
    void all(std::vector<T> const& of) {
        (*this)(of.size());
        for (auto const& each : of) (*this)(each);
    }
};
class manifest_reader {
    byte_reader& in_;

public:
    explicit manifest_reader(byte_reader& in) : in_(in) {}

    void operator()(std::uint64_t& n) { n = in_.get_varint(); }
    void operator()(std::string& t) { t = in_.get_bytes(in_.get_count()); }
    void operator()(snapshot_extent& e) {
        (*this)(e.file), (*this)(e.offset), (*this)(e.size);
        e.checksum = in_.get_fixed64();
        (*this)(e.part);
    }
    void operator()(snapshot_member& m) { (*this)(m.name), (*this)(m.id), all(m.extents), all(m.types); }
    void operator()(snapshot_type& t) { (*this)(t.name), (*this)(t.schema); }
    void operator()(snapshot_input& i) {
        std::uint64_t partition = 0;
        (*this)(i.name), (*this)(i.log), (*this)(i.schema), (*this)(partition), (*this)(i.offset);
        i.partition = static_cast<std::uint32_t>(partition);
    }
    void operator()(snapshot_operator& o) {
        (*this)(o.kind), (*this)(o.id), (*this)(o.text), (*this)(o.rows), (*this)(o.key);
    }
    void operator()(snapshot_manifest& m) {
        (*this)(m.job), (*this)(m.library), (*this)(m.logic_version), (*this)(m.number), (*this)(m.instance);
        m.fingerprint = in_.get_fixed64();
        (*this)(m.records), (*this)(m.failures);
        m.taken_at = event_time{in_.get_zigzag()};
        m.ended = in_.get_byte() != 0;
        all(m.operators), all(m.inputs), all(m.files), all(m.members);
    }

private:
    template <class T>
    void all(std::vector<T>& out) {
        out.resize(in_.get_count());
        for (auto& each : out) (*this)(each);
    }
};
}  // namespace detail

/// A manifest as the bytes of its file: magic, format, checksum, content.
inline std::string manifest_bytes(snapshot_manifest const& of) {
    std::string content;
    detail::manifest_writer{content}(of);
    std::string out{detail::snapshot_magic};
    byte_writer head{out};
    head.put_fixed32(snapshot_format_version);
    head.put_fixed64(xxh3_64(content.data(), content.size(), snapshot_format_version));
    return out += content;
}

/// The manifest that a file holds.
///
/// Errors      corrupt (other bytes than were written), unsupported (a newer format), with the path.
inline snapshot_manifest read_manifest(std::string_view bytes, std::string const& path) {
    constexpr auto head_size = detail::snapshot_magic.size() + 12;
    if (bytes.size() < head_size || !bytes.starts_with(detail::snapshot_magic)) {
        throw error{error_code::corrupt, "this is not the manifest of a snapshot, or its beginning is damaged", path};
    }
    byte_reader head{bytes.substr(detail::snapshot_magic.size())};
    auto const format = head.get_fixed32();
    auto const sum = head.get_fixed64();
    auto const content = bytes.substr(head_size);
    if (sum != xxh3_64(content.data(), content.size(), format)) {
        throw error{error_code::corrupt, "the manifest of the snapshot is damaged: its checksum does not fit", path};
    }
    if (format > snapshot_format_version || format == 0) {
        throw error{error_code::unsupported,
            detail::sentence({"the snapshot has format ", std::uint64_t{format}, ", this build reads formats up to ",
                std::uint64_t{snapshot_format_version}, ": use a newer driftless"}),
            path};
    }
    byte_reader in{content, head_size};
    snapshot_manifest out;
    detail::manifest_reader{in}(out);
    in.expect_end();
    return out;
}
}  // namespace driftless::inline v0
#endif
