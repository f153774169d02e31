// Which coding a plugin is given the caller in, and asked to speak in.

#include "call/line_format.hpp"

#include "unit/kernel/plugin_host/host_fixture.hpp"

namespace jackfield::call {
namespace {

using media::G711Law;

TEST(LineFormat, IsTheLinesOwnWhereThePluginHasIt) {
    runtime::SimRuntime runtime(3);
    plugin_host::HostUnderTest host(runtime);
    const auto voice = host.make("tts/example");

    EXPECT_EQ(codec_for(*voice, "tts", G711Law::mu), JF_CODEC_PCMU);
    EXPECT_EQ(codec_for(*voice, "tts", G711Law::a), JF_CODEC_PCMA);
}

TEST(LineFormat, IsLinearForAPluginThatDeclaresNothingElse) {
    runtime::SimRuntime runtime(3);
    plugin_host::HostUnderTest host(runtime);
    const auto ear = host.make("stt/example");

    EXPECT_EQ(codec_for(*ear, "stt", G711Law::mu), JF_CODEC_L16);
    EXPECT_EQ(codec_for(*ear, "stt", G711Law::a), JF_CODEC_L16);
}

TEST(LineFormat, IsTheLinesOwnForAPluginThatDeclaresNothing) {
    runtime::SimRuntime runtime(3);
    plugin_host::HostUnderTest host(runtime);
    const auto other = host.make("stt/example");

    EXPECT_EQ(codec_for(*other, "tts", G711Law::mu), JF_CODEC_PCMU);
}

}  // namespace
}  // namespace jackfield::call
