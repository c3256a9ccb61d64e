// SPDX-License-Identifier: BSL-1.0
#include <driftless/adapt/zstd.hpp>
#include <adapt/compressed_log.hpp>

TEST_CASE("zstd gives back what it was given, and refuses anything else", "[adapt][zstd]") {
    compressed_log::gives_back_or_refuses(driftless::detail::zstd_compressor);
}
TEST_CASE("a log compressed with zstd holds the same records in fewer bytes", "[adapt][zstd]") {
    compressed_log::same_records_in_fewer_bytes<driftless::packed>(driftless::compression::zstd);
    compressed_log::same_records_in_fewer_bytes<driftless::columns>(driftless::compression::zstd);
}
TEST_CASE("a flipped bit in a log compressed with zstd is an error or changes nothing", "[adapt][zstd]") {
    compressed_log::flipped_bits_are_found<driftless::columns>(driftless::compression::zstd);
}
TEST_CASE("segments compressed with zstd on their way to a cold store are read as before", "[adapt][zstd][tiered]") {
    compressed_log::moves_to_a_smaller_store<driftless::rows, compressed_log::reading>(driftless::compression::zstd);
    compressed_log::moves_to_a_smaller_store<driftless::packed, compressed_log::visit>(driftless::compression::zstd);
    compressed_log::moves_to_a_smaller_store<driftless::columns, compressed_log::visit>(driftless::compression::zstd);
}
