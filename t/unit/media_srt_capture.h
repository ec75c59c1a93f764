
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What srt-live-transmit of libsrt 1.5.1 has sent, read off a relay: the
 * passphrase is "correct%20horse" as it stands here, a new key came after 60
 * packets, announced 20 ahead, and the payload of packet i is the 40 bytes
 * i * 3, i * 3 + 1, ...
 */


#ifndef _MEDIA_SRT_CAPTURE_H_INCLUDED_
#define _MEDIA_SRT_CAPTURE_H_INCLUDED_


#include "tap.h"


typedef struct {
    uint32_t                  seq;
    unsigned                  i;
    unsigned                  kk;             /* 3: a message with keys */
    const char               *hex;
} media_srt_capture_t;


static const media_srt_capture_t  media_srt_capture_16[] = {

    { 0x00000000, 0, 3,
      "1220290100000000020002000000040455069e7292176d576a71e499"
      "bcdd385c063dcb4f3d6f2724e10d664a615dfa1783ffe1f28d7431a6" },

    { 0x534b1f30, 0, 1,
      "8e43f33e991704fd898568714b11206af15392edd0578b30e855d372"
      "8acc71e7de44f0cd242106e7" },

    { 0x534b1f44, 20, 1,
      "6ddecfb2955c1dd6f68243ec6f81e8e9258865e53ef8a2260276897c"
      "cb6d74a10582d7d02d9933f3" },

    { 0x534b1f57, 39, 1,
      "69abce128e1a8a436872357c590338a2760d9e7463112d83bc5a4125"
      "011e9434f56cec3fc508d5f2" },

    { 0x00000000, 0, 3,
      "1220290300000000020002000000040455069e7292176d576a71e499"
      "bcdd385cb40cab0c8097a2898c1259e7a9a05266489616665f479dbe"
      "5682455da5e75c9e19e04b8ea1fb02a6" },

    { 0x534b1f58, 40, 1,
      "1040b0e9d680fc4c61e9614a00f7181c31a035d1feac096b22e69095"
      "83d56d9328ea677530c68544" },

    { 0x534b1f6c, 60, 1,
      "9e69fd3b40a7bf35ed012a6404535a472e674069d0871ecc0c5390a8"
      "cc6c936a2bd7e75a5e88615a" },

    { 0x534b1f75, 69, 1,
      "334561eb06bfe8205b289780371d4a60bdaf10951d9b85dfeb886c37"
      "89d1d67188b6da7050a572db" },

    { 0x534b1f76, 70, 2,
      "cdd33261b998f7c63c80dbacdfbe22ade76fc555ed20fc0db87bc80f"
      "7ca33c73dadc0aad36f999cf" },

    { 0x534b1f80, 80, 2,
      "f9ce13500675e3ec5cd532d41ff7b0a9d60bad2328686a06b90102d5"
      "df53a62e1fd4152ecde05e51" },

    { 0x534b1f94, 100, 2,
      "b41e72dc10be6724433636e6023731989270273f5e752b9d286e446f"
      "450a2f7c7a94214c80f0a7ce" },

    { 0x534b1fa7, 119, 2,
      "31b4622ccac77707ca2863a049a38d690a501c3e62eac277481392f8"
      "cf8c7e66ca5e63db16ddc718" },

    { 0x00000000, 0, 3,
      "1220290300000000020002000000040455069e7292176d576a71e499"
      "bcdd385caa0dbbd96cebe8bc6ec8e70d814afb9df06d199b6d7876a4"
      "98e1e0b9cb3c336fbbda08d214bcd58f" },

    { 0x534b1fa8, 120, 2,
      "d3aab2a23d2ab1c6cfc9c08425828dc99cf517014c623bed5fb5deb3"
      "2f66ae0a305a4e08008f7c14" },

    { 0x534b1fbb, 139, 2,
      "70febe7c16050eb7bdcafef09ebe861d1d5177036ebdd9e526f2daa7"
      "e42bf0b72082f5f3f96f05d2" },

    { 0x534b1fbc, 140, 1,
      "e03bed22f185e4e290cc1a613d23dfa75cbc7b420c8c38d01b6c54d1"
      "0346dcf252d9c0f3a8781994" },

    { 0x534b1fd0, 160, 1,
      "f3fb6a37fbeb7f01e7f9b7c6faec67bb0057570de2cc94c887c46b1b"
      "7907e8a938ff774e36952299" },

    { 0x534b1fe4, 180, 1,
      "f44da07038b523df4d6d49e7f67e6791e6a60c2b95ab0b310a069521"
      "7e706f48e5a968e56698c921" },

    { 0x534b1fed, 189, 1,
      "2038a8733723c4c790cb98f15d6cc23c91ed9e1b30fa221e6d32fd70"
      "d6860f0b54f58d035452f710" },

    { 0x00000000, 0, 3,
      "1220290300000000020002000000040455069e7292176d576a71e499"
      "bcdd385cd4bb9394eb1c5ca0a137e1d38da613cbc0e5ca6fe46b9b48"
      "0998a64997fb59913c7c20c095d29681" },

    { 0x534b1fee, 190, 1,
      "fb3a12b41872a3b2626c7e589d37edec4cc78f059778cbc7840be3d2"
      "6493b26d48ea49a0de88ae91" },

};


static const media_srt_capture_t  media_srt_capture_24[] = {

    { 0x00000000, 0, 3,
      "12202901000000000200020000000406273961b75844d04aff6d67d1"
      "f837fe5fd9ddfd6738d71bfbaf4002dfe849b0ebfb363ff17ba14b5a"
      "065b3945e70319a5" },

    { 0x7eda5fd0, 0, 1,
      "b59fa9f6f6be5bac52907cac2cb47f12eaaac54925bb8e0d967da6a0"
      "703227a8f000a0586a55bdb8" },

    { 0x7eda5fe4, 20, 1,
      "3b937e82b218e9893c768e0d0438116b50418192cf9b207107b1e564"
      "c498c254413fd00d4473b7bf" },

    { 0x7eda5ff7, 39, 1,
      "eeb97340d7790cdf2042ab962e3699400ea11ff9079147f1d4d75e39"
      "d0d6b0ab8af83d050e59ca65" },

    { 0x00000000, 0, 3,
      "12202903000000000200020000000406273961b75844d04aff6d67d1"
      "f837fe5f931255ccfa6bc4acc611b2b99a7fa4dedde68a8d2b7f783c"
      "144d657b54f6bcacde36a7f33de43190a489bd04c898b608fb1a711d"
      "49825f43" },

    { 0x7eda5ff8, 40, 1,
      "5a4d7381c47fdb6fcfab869fb8be687f2d187079c181a04187155479"
      "11b7f1347481ad72e2803542" },

    { 0x7eda600b, 59, 1,
      "9de87becb3961bf5af9d56e39e619878137ec308ee97f479516cce20"
      "1652fe421d1cac0bf1bfd636" },

    { 0x7eda600c, 60, 2,
      "afe4a878e37561437a02269fb5631e669e659bfc19414ec5febed8f7"
      "3bfb9c93d70d4f51d6663a79" },

    { 0x7eda6020, 80, 2,
      "97995a076f8017e75b5cb47528accca85632deae8aea06b036eaf47c"
      "b4d746dfd237a11458b7c2f2" },

    { 0x7eda602a, 90, 2,
      "298683999540656bec0aadb8f5de5aa5e8ccd4e91f8b7837f2363138"
      "0fbe66894ba54f0f926d0efd" },

};


static const media_srt_capture_t  media_srt_capture_32[] = {

    { 0x00000000, 0, 3,
      "12202901000000000200020000000408ecc03626e13177d750d217a6"
      "1a85669bbef9cccacde619607795b16ad065b42186cf1498bf13d638"
      "17b04452248b5ecdd3c89d13bfbb91a5" },

    { 0x2778ea0f, 0, 1,
      "3808bae90332a487580b418e327f19c8dce9f2257e25f9a496ae795c"
      "e6fb7bff4fb555319e59ff1d" },

    { 0x2778ea23, 20, 1,
      "95f35543aa0451020b4b86f50c27b388309112324bdfe29aef08ff8d"
      "e79724b887a2f6994f852db9" },

    { 0x2778ea36, 39, 1,
      "0cdfc66bff75ceac02e9371b4bda2b3c97ab8ac80409beed04b95cc8"
      "ba904e699436f5b7bf90db10" },

    { 0x00000000, 0, 3,
      "12202903000000000200020000000408ecc03626e13177d750d217a6"
      "1a85669b0fc2ae318b4e67143a3b4911dffcae0c0de89bae36989189"
      "4e94f4dbf284c5a8546b8cfe5367434953130dfb6336d29b16d42355"
      "2b48f600479d4138b2f71b69fa1880bb16324a28" },

    { 0x2778ea37, 40, 1,
      "d2fb10d468084afa23f1f0c520945ba0a0572b88fce06263c5b16684"
      "681b2bb035bd846300face41" },

    { 0x2778ea4a, 59, 1,
      "4ae48f7c67f6425301b66e36209878ed9bcd21dd0a2dea6fd948dc79"
      "8faa00e0f7df410f9c5a403b" },

    { 0x2778ea4b, 60, 2,
      "1478c4eb2725b8dd8c7d9e188e20f324f921dec3ffb614bcdc6c7d7d"
      "3f2743d24764d0098c054e02" },

    { 0x2778ea5f, 80, 2,
      "d5484dc9fb5566eee6082128a7d6c3066e9529e3e33a3a81f769b08a"
      "a5a35af2b9d559071a2ec138" },

    { 0x2778ea69, 90, 2,
      "94350a2e1627af31d01a7a86b1a3e4a6feabbe30c1468dc09ffa819f"
      "482b06d13665c583910bf517" },

};


#endif /* _MEDIA_SRT_CAPTURE_H_INCLUDED_ */
