// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_HPP
#define DRIFTLESS_CODEC_HPP

// Bytes <-> values: canonical keys and hashes, codecs, owned copies, schemas.
#include <driftless/codec/arena.hpp>
#include <driftless/codec/bytes.hpp>
#include <driftless/codec/checksum.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/hash.hpp>
#include <driftless/codec/key_bytes.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/codec/schema.hpp>
#include <driftless/codec/varint.hpp>

#endif
