// SPDX-License-Identifier: BSL-1.0
// The small files of a log: the first byte says which one, and whether its checksum is made right before it is read.
// What is read is written as the same bytes.
#include <driftless/log/detail/identity.hpp>
#include <driftless/log/detail/segment_index.hpp>
#include <fuzz/fuzz_target.hpp>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {
using namespace driftless;

detail::segment_header sample_header(std::size_t fields) {
    detail::segment_header out;
    out.id = {1, 2};
    out.base = 100;
    out.epoch = 1;
    out.schema = "{a:time,b:time}";
    for (std::size_t i = 0; i < fields; ++i) out.time_fields.push_back(static_cast<std::uint16_t>(i));
    return out;
}
/// The last 8 bytes become the checksum of the others.
void mend(std::string& bytes, std::string_view magic, std::uint64_t seed) {
    if (bytes.size() < magic.size() + 12) return;
    std::copy(magic.begin(), magic.end(), bytes.begin());
    auto const sum = xxh3_64(bytes.data(), bytes.size() - 8, seed);
    std::memcpy(bytes.data() + bytes.size() - 8, &sum, sizeof sum);
}

void look_at_index(std::string bytes, bool mended, std::size_t fields) {
    auto const header = sample_header(fields);
    if (mended && bytes.size() >= 24) {
        auto const seed = header.seed();
        std::memcpy(bytes.data() + 16, &seed, sizeof seed);
        mend(bytes, "DRFTIDX\x01", seed);
    }
    auto const index = detail::segment_index::decode(bytes, header);
    if (!index) return;
    auto again = index->encode(header);
    std::memcpy(again.data() + 24, bytes.data() + 24, 8);  // the base is not looked at: the seed tells
    std::memcpy(again.data() + again.size() - 8, bytes.data() + bytes.size() - 8, 8);
    fuzz::require(again == bytes, "an index file that is read is written as the same bytes");
    for (std::size_t i = 0; i < index->entries().size(); ++i) {
        fuzz::require(index->entries()[i].position < index->end_position(), "an entry lies inside");
        for (std::size_t field = 0; field < fields; ++field) static_cast<void>(index->range(i, field));
    }
    fuzz::require(index->entry_of(0) <= index->entries().size(), "an offset has a place");
}
void look_at_header(std::string bytes, bool mended) {
    if (mended) mend(bytes, detail::segment_magic, 0);
    try {
        auto const header = detail::decode_segment_header(bytes, "segment");
        auto const again = detail::encode(header);
        auto const same = detail::decode_segment_header(again, "segment") == header;
        fuzz::require(same, "a header that is read can be written");
    } catch (error const& why) {
        fuzz::require(why.path() == "segment", "an error names the file");
    }
}
void look_at_identity(std::string bytes, bool mended) {
    if (mended) mend(bytes, detail::log_identity::magic, 0);
    try {
        auto const identity = detail::decode_identity(bytes, "identity");
        auto const again = detail::encode(identity);
        // The number of an older format, of which there is none yet.
        if (detail::get<std::uint32_t>(bytes, 8) != 1) return;
        fuzz::require(again == bytes, "an identity that is read is written as the same bytes");
    } catch (error const& why) {
        fuzz::require(why.path() == "identity", "an error names the file");
    }
}
}  // namespace

std::vector<std::pair<std::string, std::string>> fuzz::seeds() {
    std::vector<std::pair<std::string, std::string>> out;
    auto const header = sample_header(2);
    detail::segment_index index{2, header.base, 192};
    detail::block_header block{};
    block.size = 40'000;
    block.offset_span = block.records = 10;
    block.first_offset = header.base;
    detail::time_range const ranges[] = {{1, 2}, {3, 4}};
    for (int i = 0; i < 3; ++i, block.first_offset += 10) index.add(block, ranges);
    detail::log_identity identity{{1, 2}, 3, 4};
    for (bool const mended : {false, true}) {
        auto const flag = static_cast<char>(mended ? 1 : 0);
        std::string const ending = mended ? "_mended" : "";
        out.push_back({"index" + ending, static_cast<char>(flag | 2 << 4) + index.encode(header)});
        out.push_back({"header" + ending, static_cast<char>(flag | 2) + detail::encode(header)});
        out.push_back({"identity" + ending, static_cast<char>(flag | 4) + detail::encode(identity)});
    }
    return out;
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size == 0) return 0;
    std::string const bytes{reinterpret_cast<char const*>(data) + 1, size - 1};
    bool const mended = (data[0] & 1) != 0;
    switch (data[0] >> 1 & 3) {
        case 0: look_at_index(bytes, mended, data[0] >> 4 & 3U); break;
        case 1: look_at_header(bytes, mended); break;
        default: look_at_identity(bytes, mended); break;
    }
    return 0;
}
