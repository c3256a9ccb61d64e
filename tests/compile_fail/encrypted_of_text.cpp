// expect: encrypted<Subject, T> needs a T that codec and schema know, and that owns its text
#include <driftless/codec/encrypted.hpp>

#include <cstdint>

int main() {
    using field = driftless::encrypted<std::uint64_t, driftless::text>;
    return driftless::decode<field>(std::string_view{"\0", 1}).empty() ? 0 : 1;
}
