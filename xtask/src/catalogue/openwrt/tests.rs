//! A small tree that is laid out, and dumps itself, as OpenWrt does.

use super::*;

const FILES: [(&str, &str); 8] = [
    ("rules.mk", "INCLUDE_DIR:=$(TOPDIR)/include\n"),
    (
        "include/target.mk",
        "\
all: dumpinfo
-include ./$(SUBTARGET)/target.mk
CPU_CFLAGS_24kc = -mips32r2 -mtune=24kc
define BuildTarget
dumpinfo:
	@echo 'Target: $(BOARD)$(if $(SUBTARGET),/$(SUBTARGET))'; \\
	 echo 'Target-Board: $(BOARD)'; \\
	 echo 'Target-Arch: $(ARCH)'; \\
	 echo 'Target-Arch-Packages: $(ARCH)_$(CPU_TYPE)$(if $(CPU_SUBTYPE),_$(CPU_SUBTYPE))'; \\
	 echo 'Target-Features: $(FEATURES)'; \\
	 echo 'Target-Optimization: $(CPU_CFLAGS_$(CPU_TYPE))'; \\
	 echo 'CPU-Type: $(CPU_TYPE)$(if $(CPU_SUBTYPE),+$(CPU_SUBTYPE))'
	@$(if $(SUBTARGETS),$(if $(SUBTARGET),$(MAKE) -s -C image DUMP=1 SUBTARGET=$(SUBTARGET)),$(MAKE) -s -C image DUMP=1)
	@$(if $(SUBTARGET),,$(foreach SUBTARGET,$(SUBTARGETS),$(MAKE) -s DUMP=1 SUBTARGET=$(SUBTARGET);))
endef
",
    ),
    (
        "include/image.mk",
        "\
define Device/InitProfile
  DEVICE_TITLE = $$(DEVICE_VENDOR) $$(DEVICE_MODEL)$$(if $$(DEVICE_VARIANT), $$(DEVICE_VARIANT))
  DEVICE_VENDOR :=
  DEVICE_MODEL :=
  DEVICE_VARIANT :=
  DEVICE_ALT0_VENDOR :=
  DEVICE_ALT0_MODEL :=
  SOC :=
  IMAGE_SIZE :=
  BROKEN :=
  SUPPORTED_DEVICES := $(subst _,$$(comma),$(1))
endef
comma := ,
define Device/DumpInfo
Target-Profile: DEVICE_$(1)
Target-Profile-Name: $(DEVICE_TITLE)
Target-Profile-Packages: $(DEVICE_PACKAGES)
Target-Profile-Description:
@@

endef
define Device/Dump
$$(eval $$(info $$(call Device/DumpInfo,$(1))))
endef
define Device
$(call Device/InitProfile,$(1))
$(call Device/Default,$(1))
$(call Device/$(1),$(1))
$(call Device/Dump,$(1))

endef
define BuildImage
all:
	@true
$(foreach device,$(TARGET_DEVICES),$(call Device,$(device)))
endef
",
    ),
    (
        "target/linux/ramips/Makefile",
        "\
include $(TOPDIR)/rules.mk
ARCH:=mipsel
BOARD:=ramips
SUBTARGETS:=mt7620 rt288x
include $(INCLUDE_DIR)/target.mk
$(eval $(BuildTarget))
",
    ),
    ("target/linux/ramips/mt7620/target.mk", "CPU_TYPE:=24kc\nFEATURES:=squashfs usb\n"),
    ("target/linux/ramips/rt288x/target.mk", "CPU_TYPE:=24kc\nFEATURES:=squashfs source-only\n"),
    (
        "target/linux/ramips/image/Makefile",
        "\
include $(TOPDIR)/rules.mk
include $(INCLUDE_DIR)/image.mk
define Device/Default
  SOC := $(SUBTARGET)
endef
ifeq ($(SUBTARGET),mt7620)
define Device/newifi
  DEVICE_VENDOR := Lenovo
  IMAGE_SIZE := 16064k
  SOC := mt7620a
endef
define Device/lenovo_newifi-y1
  $(Device/newifi)
  DEVICE_MODEL := Y1
  DEVICE_ALT0_VENDOR := Newifi
  DEVICE_ALT0_MODEL := Y1
  SUPPORTED_DEVICES += y1
endef
TARGET_DEVICES += lenovo_newifi-y1
define Device/acme_broken
  DEVICE_VENDOR := Acme
  DEVICE_MODEL := X
  DEVICE_VARIANT := v2
  BROKEN := y
endef
TARGET_DEVICES += acme_broken
else
define Device/acme_old
  DEVICE_VENDOR := Acme
  DEVICE_MODEL := Old
  IMAGE_SIZE := 0x3d0000
endef
TARGET_DEVICES += acme_old
endif
$(eval $(BuildImage))
",
    ),
    (
        "target/linux/tegra/Makefile",
        "\
include $(TOPDIR)/rules.mk
ARCH:=arm
BOARD:=tegra
CPU_TYPE:=cortex-a9
CPU_SUBTYPE:=vfpv3-d16
FEATURES:=audio fpu
include $(INCLUDE_DIR)/target.mk
$(eval $(BuildTarget))
",
    ),
];

const TEGRA: &str = "\
include $(TOPDIR)/rules.mk
include $(INCLUDE_DIR)/image.mk
define Device/compulab_trimslice
  DEVICE_VENDOR := CompuLab
  DEVICE_MODEL := TrimSlice
endef
TARGET_DEVICES += compulab_trimslice
$(eval $(BuildImage))
";

#[test]
fn a_checkout_becomes_rows() {
    let (tree, tables) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let put = |path: &str, text: &str| {
        let path = tree.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    for (path, text) in FILES {
        put(path, text);
    }
    put("target/linux/tegra/image/Makefile", TEGRA);
    let table = |name: &str| fs::read_to_string(tables.path().join(name)).unwrap();
    let devices = "id\ttitle\tother titles\ttarget\tarchitecture\tsoc\tfirmware bytes\tother names\treleases\timages\n\
        acme_gone\tAcme Gone\t\tramips/mt7620\tmipsel_24kc\t\t\t\t23.05 24.10\t\n\
        acme_never\tAcme Never\t\tramips/mt7620\tmipsel_24kc\t\t\t\t24.10\t\n\
        lenovo_newifi-y1\tLenovo\t\tramips/mt7620\tmipsel_24kc\t\t\tnewifi\t23.05 24.10 master\t\n";
    let head = include_str!("../../../../catalogue/openwrt-architectures.tsv").lines().next().unwrap();
    fs::write(tables.path().join("openwrt-devices.tsv"), devices).unwrap();
    fs::write(tables.path().join("openwrt-architectures.tsv"), format!("{head}\n")).unwrap();

    update(tree.path(), "24.10", tables.path()).unwrap();
    let row =
        |id: &str| table("openwrt-devices.tsv").lines().find(|row| row.starts_with(id)).map(str::to_owned);
    // A newer release has its own facts of it.
    assert!(row("lenovo").unwrap().ends_with("23.05 24.10 master\t"));
    assert!(row("acme_gone").unwrap().contains("\t23.05\t"));
    assert_eq!(row("acme_never"), None);

    update(tree.path(), "26.10", tables.path()).unwrap();
    update(tree.path(), "master", tables.path()).unwrap();
    assert_eq!(
        row("lenovo_newifi-y1").unwrap(),
        "lenovo_newifi-y1\tLenovo Y1\tNewifi Y1\tramips/mt7620\tmipsel_24kc\tmt7620a\t16449536\ty1 newifi\t23.05 24.10 26.10 master\t"
    );
    assert_eq!(
        row("acme_broken").unwrap(),
        "acme_broken\tAcme X v2\t\tramips/mt7620\tmipsel_24kc\tmt7620\t\t\t24.10 26.10 master\tsource-only"
    );
    assert_eq!(
        row("acme_old").unwrap(),
        "acme_old\tAcme Old\t\tramips/rt288x\tmipsel_24kc\trt288x\t3997696\t\t24.10 26.10 master\tsource-only"
    );
    assert!(row("compulab_trimslice").unwrap().contains("\ttegra/generic\tarm_cortex-a9_vfpv3-d16\t"));
    let architectures = table("openwrt-architectures.tsv");
    let rows: Vec<&str> = architectures.lines().skip(1).collect();
    assert_eq!(
        rows,
        [
            "mipsel_24kc\tmips\tlittle\t32\tsoft\t24kc\t/lib/ld-musl-mipsel-sf.so.1\t24.10 26.10 master\t\
             ramips/mt7620 ramips/rt288x\t3",
            "arm_cortex-a9_vfpv3-d16\tarmv7l\tlittle\t32\thard\tcortex-a9+vfpv3-d16\t/lib/ld-musl-armhf.so.1\t\
             24.10 26.10 master\ttegra/generic\t1",
        ]
    );
    // The checkout itself is as it was.
    assert!(!fs::read_to_string(tree.path().join("include/image.mk")).unwrap().contains("Diag"));
    assert!(update(tables.path(), "24.10", tables.path()).is_err());
}
