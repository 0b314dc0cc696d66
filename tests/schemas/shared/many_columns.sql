-- Many columns, and tables that refer to each other in a circle or have no key.

CREATE TABLE many_columns (
    {id},
    column_000 INTEGER, column_001 INTEGER, column_002 INTEGER, column_003 INTEGER, column_004 INTEGER,
    column_005 INTEGER, column_006 INTEGER, column_007 INTEGER, column_008 INTEGER, column_009 INTEGER,
    column_010 INTEGER, column_011 INTEGER, column_012 INTEGER, column_013 INTEGER, column_014 INTEGER,
    column_015 INTEGER, column_016 INTEGER, column_017 INTEGER, column_018 INTEGER, column_019 INTEGER,
    column_020 INTEGER, column_021 INTEGER, column_022 INTEGER, column_023 INTEGER, column_024 INTEGER,
    column_025 INTEGER, column_026 INTEGER, column_027 INTEGER, column_028 INTEGER, column_029 INTEGER,
    column_030 INTEGER, column_031 INTEGER, column_032 INTEGER, column_033 INTEGER, column_034 INTEGER,
    column_035 INTEGER, column_036 INTEGER, column_037 INTEGER, column_038 INTEGER, column_039 INTEGER,
    column_040 INTEGER, column_041 INTEGER, column_042 INTEGER, column_043 INTEGER, column_044 INTEGER,
    column_045 INTEGER, column_046 INTEGER, column_047 INTEGER, column_048 INTEGER, column_049 INTEGER,
    column_050 INTEGER, column_051 INTEGER, column_052 INTEGER, column_053 INTEGER, column_054 INTEGER,
    column_055 INTEGER, column_056 INTEGER, column_057 INTEGER, column_058 INTEGER, column_059 INTEGER,
    column_060 INTEGER, column_061 INTEGER, column_062 INTEGER, column_063 INTEGER, column_064 INTEGER,
    column_065 INTEGER, column_066 INTEGER, column_067 INTEGER, column_068 INTEGER, column_069 INTEGER,
    column_070 INTEGER, column_071 INTEGER, column_072 INTEGER, column_073 INTEGER, column_074 INTEGER,
    column_075 INTEGER, column_076 INTEGER, column_077 INTEGER, column_078 INTEGER, column_079 INTEGER,
    column_080 INTEGER, column_081 INTEGER, column_082 INTEGER, column_083 INTEGER, column_084 INTEGER,
    column_085 INTEGER, column_086 INTEGER, column_087 INTEGER, column_088 INTEGER, column_089 INTEGER,
    column_090 INTEGER, column_091 INTEGER, column_092 INTEGER, column_093 INTEGER, column_094 INTEGER,
    column_095 INTEGER, column_096 INTEGER, column_097 INTEGER, column_098 INTEGER, column_099 INTEGER,
    column_100 INTEGER, column_101 INTEGER, column_102 INTEGER, column_103 INTEGER, column_104 INTEGER,
    column_105 INTEGER, column_106 INTEGER, column_107 INTEGER, column_108 INTEGER, column_109 INTEGER,
    column_110 INTEGER, column_111 INTEGER, column_112 INTEGER, column_113 INTEGER, column_114 INTEGER,
    column_115 INTEGER, column_116 INTEGER, column_117 INTEGER, column_118 INTEGER, column_119 INTEGER,
    column_120 INTEGER, column_121 INTEGER, column_122 INTEGER, column_123 INTEGER, column_124 INTEGER,
    column_125 INTEGER, column_126 INTEGER, column_127 INTEGER, column_128 INTEGER, column_129 INTEGER,
    column_130 INTEGER, column_131 INTEGER, column_132 INTEGER, column_133 INTEGER, column_134 INTEGER,
    column_135 INTEGER, column_136 INTEGER, column_137 INTEGER, column_138 INTEGER, column_139 INTEGER,
    column_140 INTEGER, column_141 INTEGER, column_142 INTEGER, column_143 INTEGER, column_144 INTEGER,
    column_145 INTEGER, column_146 INTEGER, column_147 INTEGER, column_148 INTEGER, column_149 INTEGER,
    column_150 INTEGER, column_151 INTEGER, column_152 INTEGER, column_153 INTEGER, column_154 INTEGER,
    column_155 INTEGER, column_156 INTEGER, column_157 INTEGER, column_158 INTEGER, column_159 INTEGER,
    column_160 INTEGER, column_161 INTEGER, column_162 INTEGER, column_163 INTEGER, column_164 INTEGER,
    column_165 INTEGER, column_166 INTEGER, column_167 INTEGER, column_168 INTEGER, column_169 INTEGER,
    column_170 INTEGER, column_171 INTEGER, column_172 INTEGER, column_173 INTEGER, column_174 INTEGER,
    column_175 INTEGER, column_176 INTEGER, column_177 INTEGER, column_178 INTEGER, column_179 INTEGER,
    column_180 INTEGER, column_181 INTEGER, column_182 INTEGER, column_183 INTEGER, column_184 INTEGER,
    column_185 INTEGER, column_186 INTEGER, column_187 INTEGER, column_188 INTEGER, column_189 INTEGER,
    column_190 INTEGER, column_191 INTEGER, column_192 INTEGER, column_193 INTEGER, column_194 INTEGER,
    column_195 INTEGER, column_196 INTEGER, column_197 INTEGER, column_198 INTEGER, column_199 INTEGER
);
CREATE TABLE circle_first ({id}, next_id {ref});
CREATE TABLE circle_second ({id}, next_id {ref} NOT NULL, FOREIGN KEY (next_id) REFERENCES circle_first (id));
CREATE TABLE circle_itself ({id}, next_id {ref}, FOREIGN KEY (next_id) REFERENCES circle_itself (id) ON DELETE CASCADE);
CREATE TABLE keyless (name VARCHAR(20), many_columns_id {ref}, FOREIGN KEY (many_columns_id) REFERENCES many_columns (id));
