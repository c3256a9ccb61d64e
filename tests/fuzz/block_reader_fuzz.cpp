// SPDX-License-Identifier: BSL-1.0
// A block: the first byte says of which layout, whether its checksums are made right before it is read, and whether it
// stands in a log that is verified and repaired. A reader hands out only what is inside, with and without the type;
// what repair leaves is a good log.
#include <driftless/log/file_log.hpp>
#include <driftless/log/repair_log.hpp>
#include <driftless/log/untyped_block.hpp>
#include <driftless/log/verify_log.hpp>
#include <driftless/testing/memory_files.hpp>
#include <fuzz/fuzz_target.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fuzzed {
using namespace driftless;
struct fixed {
    std::int32_t sensor = 0;
    std::int64_t value = 0;
    event_time at;
    bool good = false;
};
struct varied {
    text page;
    event_time at;
    std::vector<std::uint16_t> codes;
    std::uint32_t status = 0;
};
}  // namespace fuzzed
BOOST_HANA_ADAPT_STRUCT(fuzzed::fixed, sensor, value, at, good);
BOOST_HANA_ADAPT_STRUCT(fuzzed::varied, page, at, codes, status);

namespace {
using namespace driftless;
using namespace driftless::detail;

template <class T, class Layout>
segment_header header_of() {
    segment_header out;
    out.id = {1, 2};
    out.epoch = 1;
    out.layout = block_maker<Layout, T>::kind;
    if constexpr (std::is_same_v<Layout, rows>) out.record_size = sizeof(T);
    out.time_fields = time_fields_of<T>();
    out.schema = schema_of<T>();
    return out;
}

/// Makes magic, sizes and checksums right, as far as the tables fit the bytes.
void mend(char* bytes, std::size_t size, segment_header const& segment) {
    if (size < sizeof(block_header)) return;
    block_header header;
    std::memcpy(&header, bytes, sizeof header);
    auto const fields = segment.time_fields.size();
    auto const start = block_header_size(fields, header.parts);
    if (start > size || start > 65535) return;
    header.magic = block_header::expected_magic;
    header.header_size = static_cast<std::uint16_t>(start);
    if (header.size > size) header.size = static_cast<std::uint32_t>(size / alignment_on_disk * alignment_on_disk);
    auto* const table = bytes + sizeof header + fields * sizeof(time_range);
    for (std::size_t i = 0; i < header.parts; ++i) {
        block_part part;
        std::memcpy(&part, table + i * sizeof part, sizeof part);
        auto to = header.size;
        if (i + 1U < header.parts) std::memcpy(&to, table + (i + 1) * sizeof part + 8, sizeof to);
        if (part.position > to || to > size) continue;
        part.checksum = xxh3_64(bytes + part.position, to - part.position, segment.seed());
        std::memcpy(table + i * sizeof part, &part, sizeof part);
    }
    header.checksum = 0;
    std::memcpy(bytes, &header, sizeof header);
    header.checksum = block_view::header_checksum(bytes, header, segment.seed());
    std::memcpy(bytes, &header, sizeof header);
}

bool lies_inside(text const& of, std::string_view block) {
    return of.size() == 0 || (of.data() >= block.data() && of.data() + of.size() <= block.data() + block.size());
}

template <class T, class Layout>
void look_at_block(std::string_view block, segment_header const& segment) {
    static untyped_schema const schema{segment, "segment"};
    stored_block stored{{}, nullptr, std::make_shared<std::string const>("segment"), 0};
    std::size_t wanted = 0;
    auto const state = block_view::find(block, segment.seed(), segment.time_fields.size(), stored.raw, wanted);
    if (state != block_state::whole) return;
    auto const& header = stored.raw.header();
    fuzz::require(header.size <= block.size(), "a whole block is there");
    for (std::size_t i = 0; i < header.parts; ++i) {
        auto const part = stored.raw.part(i);
        fuzz::require(part.position <= header.size && part.size <= header.size - part.position, "a part lies inside");
    }
    std::uint64_t seen = 0;
    try {
        untyped_block const records{stored, schema};
        std::string json;
        for (std::size_t i = 0; i < records.size(); ++i) {
            json.clear();
            records.append_json(i, json);
            ++seen;
        }
    } catch (error const& why) {
        fuzz::require(why.path() == "segment", "an error names the file");
        // A typed reader takes a bool as it lies in memory, so it is not asked what was refused here.
        return;
    }
    block_records<Layout, T> const records{stored};
    records.each(0, 0, static_cast<std::size_t>(seen), [&](std::size_t i, T const& each) {
        if constexpr (std::is_same_v<T, fuzzed::varied>) {
            fuzz::require(lies_inside(each.page, block), "text lies inside");
        }
        if constexpr (std::is_same_v<Layout, packed>) {
            fuzz::require(encode(each) == records.bytes_of(i), "what decodes encodes to the same bytes");
        }
        static_cast<void>(i);
        static_cast<void>(each);
    });
}

template <class T, class Layout>
void look_at_log(std::string_view block, segment_header const& segment) {
    testing::memory_files files;
    files.make_folder("log");
    files.make_folder("log/p00000");
    write_whole_file("log", "identity", encode(log_identity{{1, 2}, 1, 0}), files);
    write_whole_file("log/p00000", "00000000000000000000.segment", encode(segment) + std::string{block}, files);
    verify_log_options options;
    options.files = &files;
    auto const found = verify_log("log", options);
    if (found.problems == 0) {
        // What has no problem opens, and gives every record.
        file_log_options reading;
        reading.access = log_access::read;
        reading.files = &files;
        file_log<T, Layout> const log{"log", reading};
        fuzz::require(log.end_offset() == found.records, "a good log has all its records");
        for (std::uint64_t at = 0; at < log.end_offset();) {
            auto const records = log.read(0, at);
            fuzz::require(records.size() != 0, "a block has records");
            records.each(0, records.size(), [](std::size_t, T const&) {});
            at += records.size();
        }
    }
    log_repair{"log", files}.run(true);
    log_repair const again{"log", files};
    fuzz::require(again.steps().empty(), "after a repair there is nothing to repair");
    file_log_options writing;
    writing.files = &files;
    writing.background = false;
    file_log<T, Layout> log{"log", writing};
    log.append(T{});
    log.close();
}

template <class T, class Layout>
void look_at(std::string_view bytes, bool mended, bool in_a_log) {
    static auto const segment = header_of<T, Layout>();
    aligned_bytes block{bytes.size() + 1};
    std::memcpy(block.data(), bytes.data(), bytes.size());
    if (mended) mend(block.data(), bytes.size(), segment);
    if (in_a_log) look_at_log<T, Layout>({block.data(), bytes.size()}, segment);
    else look_at_block<T, Layout>({block.data(), bytes.size()}, segment);
}

template <class T, class Layout>
std::string sample_block(std::uint64_t count, bool deltas) {
    auto const segment = header_of<T, Layout>();
    block_maker<Layout, T> maker{{1024, compression::none, deltas}};
    for (std::uint64_t i = 0; i < count; ++i) {
        T record{};
        record.at = event_time{static_cast<std::int64_t>(i * 10)};
        if constexpr (std::is_same_v<T, fuzzed::varied>) {
            record.page = "page";
            record.codes = {1, 300};
        }
        maker.add(record);
    }
    block_header header{};
    header.layout = block_maker<Layout, T>::kind;
    header.epoch = 1;
    return std::string{maker.finish(header, segment.seed())};
}
}  // namespace

std::vector<std::pair<std::string, std::string>> fuzz::seeds() {
    std::vector<std::pair<std::string, std::string>> out;
    for (int const mode : {0, 4, 8, 12}) {
        auto const ending = "_" + std::to_string(mode);
        out.push_back({"rows" + ending, static_cast<char>(mode) + sample_block<fuzzed::fixed, rows>(3, false)});
        out.push_back(
            {"packed" + ending, static_cast<char>(mode | 1) + sample_block<fuzzed::varied, packed>(3, false)});
        out.push_back(
            {"columns" + ending, static_cast<char>(mode | 2) + sample_block<fuzzed::varied, columns>(3, true)});
    }
    return out;
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size == 0) return 0;
    std::string_view const bytes{reinterpret_cast<char const*>(data) + 1, size - 1};
    bool const mended = (data[0] & 4) != 0;
    bool const in_a_log = (data[0] & 8) != 0;
    switch (data[0] & 3) {
        case 0: look_at<fuzzed::fixed, rows>(bytes, mended, in_a_log); break;
        case 1: look_at<fuzzed::varied, packed>(bytes, mended, in_a_log); break;
        default: look_at<fuzzed::varied, columns>(bytes, mended, in_a_log); break;
    }
    return 0;
}
