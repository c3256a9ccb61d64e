// SPDX-License-Identifier: BSL-1.0
#include <driftless/adapt/lz4.hpp>
#include <adapt/compressed_log.hpp>

TEST_CASE("lz4 gives back what it was given, and refuses anything else", "[adapt][lz4]") {
    compressed_log::gives_back_or_refuses(driftless::detail::lz4_compressor);
}
TEST_CASE("a log compressed with lz4 holds the same records in fewer bytes", "[adapt][lz4]") {
    compressed_log::same_records_in_fewer_bytes<driftless::packed>(driftless::compression::lz4);
    compressed_log::same_records_in_fewer_bytes<driftless::columns>(driftless::compression::lz4);
}
TEST_CASE("a flipped bit in a log compressed with lz4 is an error or changes nothing", "[adapt][lz4]") {
    compressed_log::flipped_bits_are_found<driftless::columns>(driftless::compression::lz4);
}
TEST_CASE("segments compressed with lz4 on their way to a cold store are read as before", "[adapt][lz4][tiered]") {
    compressed_log::moves_to_a_smaller_store<driftless::rows, compressed_log::reading>(driftless::compression::lz4);
    compressed_log::moves_to_a_smaller_store<driftless::packed, compressed_log::visit>(driftless::compression::lz4);
    compressed_log::moves_to_a_smaller_store<driftless::columns, compressed_log::visit>(driftless::compression::lz4);
}
