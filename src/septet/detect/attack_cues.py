"""The cue words of the built-in attack rules, by class, in Chinese and English side by side.

Written for this project from the publicly described attack families (OWASP LLM01, LLM02, LLM07; MITRE ATLAS AML.T0051,
AML.T0054). A word ending in * also matches its longer forms. A class names an idea, so that a new wording is one more word
and no new rule. No word acts alone where honest customers use it.
"""

CUES: dict[str, str] = {
    # taking the instructions away
    "override": (
        "ignor*|disregard*|forget*|bypass*|overrid*|overrul*|discard*|neglect*|do not follow|don't follow|"
        "stop following|no longer follow|not obey|pay no attention to|set aside|abandon*|circumvent*|drop all|"
        "drop your|delet* all|erase all|wipe|violat*|break free|supersed*|ignorez|ignorier*|oublie*|olvid*|"
        "esquece*|dimentica*|vergiss*|ignora*|desconsider*|missachte*|игнорируй*|disabl*|turn off|switch off|"
        "deactivat*|remove all|remove your|lift all|lift your|no longer apply|do not apply|don't apply|are void|"
        "忽略|无视|不理会|不要理会|不用理会|忘记|忘掉|忘了|抛开|抛弃|抛到|跳过|绕过|绕开|覆盖|推翻|不要遵守|"
        "不用遵守|无需遵守|不必遵守|不遵守|停止遵守|别管|不要管|不遵循|放弃|清除|作废|撇开|违反|不要遵循|无须遵守|"
        "取消|清空|丢掉|解除|忽畧|关闭|关掉|停用|不再适用|不适用|失效"
    ),
    "instruction": (
        "instruction*|prompt|prompts|rules|guideline*|directive*|what you were told|what you have been told|"
        "told before|everything above|all of the above|text above|prior text|previous text|constraint*|"
        "restriction*|system message|programming|commands|limitation*|safeguard*|filters|safety polic*|"
        "content polic*|safety protocol*|ethical|moral*|context above|prior context|previous context|"
        "everything before|everything prior|instruccion*|istruzion*|instruções|instrucoes|anweisung*|regeln|regole|"
        "reglas|regras|richtlinien|consignes|linee guida|guidelines|restriccion*|confidentiality polic*|"
        "指令|提示词|提示|规则|规定|设定|限制|约束|准则|指示|命令|以上内容|上文|上述内容|前面的内容|前面说的|"
        "前面的话|之前的内容|之前的话|守则|安全策略|过滤|审查|对话内容|人设|道德|底线|说的一切|内容要求|操作要求|"
        "回答要求"
    ),
    "scope": (
        "previous*|prior|above|earlier|your|existing|initial|original|preceding|all|any|system|safety|before|"
        "former|current|everything|these|those|précédent*|precedent*|precedenti|anterior*|vorherig*|bisherig*|"
        "toutes|todas|tutte|alle|deine|tes|tus|seus|tuas|sicurezza|above-mentioned|operator's|"
        "之前|以前|先前|前面|以上|上面|上述|此前|所有|一切|全部|原来|原有|你的|系统|预设|安全|内置|任何|当前|现有|"
        "已有|刚才|你被"
    ),
    "new_task": (
        "new instruction*|new task|your real task|actual task|your new goal|new objective|instead respond|"
        "instead, respond|instead output|instead, output|instead say|instead, say|instead do|you must now|"
        "now you must|only respond with|only reply with|respond only with|reply only with|just say|print exactly|"
        "say exactly|your new instruction*|your task is now|your job is now|forget that and|and say|and repeat|"
        "and output|and print|and reply|and respond with|and answer|"
        "新指令|新的指令|新任务|新的任务|真正的任务|你的新任务|现在你只需要|你只能回答|你只需要回答|只回复|只输出|"
        "直接输出|改为输出|转而"
    ),
    # the prompt itself
    "prompt": (
        "system prompt*|initial prompt*|system message*|developer message*|developer prompt*|hidden prompt*|"
        "hidden message*|hidden developer|initial instruction*|original instruction*|hidden instruction*|"
        "secret instruction*|system instruction*|your instruction*|your prompt*|preprompt|pre-prompt|text above|"
        "words above|everything above|confidential instruction*|your configuration|prompt you were given|"
        "instructions you were given|instructions you received|instructions given to you|internal instruction*|"
        "internal rules|internal guideline*|hidden rules|first line of your|base prompt|custom instruction*|"
        "your full prompt|systemanweisung*|instructions système|prompt système|prompt de sistema|prompt di sistema|"
        "prompt do sistema|istruzioni di sistema|instrucciones de sistema|instrucciones del sistema|system-prompt|"
        "systemprompt|secret prompt|first message in this conversation|role description you were|"
        "系统提示|系统指令|系统设定|系统消息|初始提示|初始指令|初始设定|隐藏提示|隐藏指令|隐藏的指令|开发者消息|"
        "开发者指令|你的提示|你的指令|你的设定|内部指令|内部规则|上面的提示|以上提示|原始提示|原始指令|预设指令|"
        "预设提示|后台指令|底层指令|底层设定|内置提示|内置指令|被设定的|收到的指令|收到的提示|你的prompt|"
        "系统prompt|运行规则|你被给定的|设定你的|对话开头的"
    ),
    "reveal": (
        "reveal*|show|shows|showing|print*|output*|repeat*|display*|leak*|disclos*|expos*|tell|give|list|dump*|"
        "share|what is|what are|what's|what was|what were|write|summari*|translat*|encod*|recit*|copy|quote|spell|"
        "paste|return|verbatim|describe|word for word|provide|extract*|send|read out|enumerat*|révèl*|revel*|"
        "rivel*|verrate*|zeig*|muestr*|mostr*|affich*|reproduc*|tell me|render|surface|"
        "透露|显示|输出|打印|重复|复述|告诉|展示|泄露|公开|列出|说出|给我|给出|交出|贴出|写出|翻译|总结|逐字|"
        "一字不差|原样|是什么|有哪些|发我|复制|念一遍|导出|提供|背诵|发给|交代|披露|贴出来"
    ),
    # persona and promised freedom
    "persona": (
        "you are now|you're now|act as|acting as|pretend*|roleplay*|role-play*|role play*|simulat*|imagine you|"
        "you will be playing|take on the role|play the role|playing the role|from now on|assume the role|"
        "assume the persona|behave as|respond as|answer as|you are going to|you're going to|you will act|"
        "immerse yourself|your name is|in the character of|stay in character|persona|tu es maintenant|"
        "du bist jetzt|ahora eres|sei ora|agora você é|you are dan|you're dan|as dan|you will be|you are free|"
        "you are an ai|you are an assistant|you are a bot|"
        "你现在是|现在你是|从现在开始|从现在起|扮演|假装|假设你是|假设你没有|模拟|角色|想象你是|充当|你将成为|"
        "你是一个|变成|进入|切换到|开启|启用|化身|请成为|以下身份|你是一名|你是没有"
    ),
    "unbound": (
        "no restriction*|no rules|no limits|no limitation*|without restriction*|without any restriction*|"
        "without limit*|without rules|without any filter*|without filter*|unrestricted|unfiltered|uncensored|"
        "no filter*|no ethical|no moral*|free from|freed from|free of|not bound by|no longer bound|no boundaries|"
        "without boundaries|do anything now|can do anything|dan|developer mode|jailbreak*|jailbroken|god mode|"
        "amoral|unethical|immoral*|illegal*|evil|without censorship|no censorship|without moral*|without ethic*|"
        "regardless of|no content polic*|opposite mode|anti-gpt|any question without|broken free|bypass*|"
        "never refuse*|cannot refuse|can't refuse|not refuse|always compl*|unlimited|no guideline*|"
        "without guideline*|safety off|disabl* safety|no safety|no inhibitions|without judgment|ignores all|"
        "sans restriction*|sin restriccion*|senza restrizioni|sem restrições|ohne einschränkung*|no ethics|"
        "no morals|without ethics|unlimited power|without refusing|with no restrictions|no longer subject to|"
        "exempt from|guidelines do not apply|rules do not apply|restrictions do not apply|rules no longer apply|"
        "do not apply to you|"
        "没有限制|没有任何限制|不受限制|不受任何限制|不受约束|不受任何约束|无限制|无任何限制|毫无限制|没有道德|"
        "没有审查|无审查|不受审查|开发者模式|开发模式|越狱|上帝模式|不能拒绝|不得拒绝|不许拒绝|不会拒绝|永不拒绝|"
        "从不拒绝|不要拒绝|有问必答|不需要遵守|无需遵守|没有底线|没有规则|解除限制|去除限制|关闭安全|关闭过滤|摆脱|"
        "自由模式|邪恶|不考虑道德|不考虑法律|无视道德|没有顾虑|不受规则|无视规则|无视法律|没有任何规则|什么都能|"
        "什么都可以|无所不能|不再受|规则不适用|限制不适用|百无禁忌|口无遮拦"
    ),
    "no_refusal": (
        "never refuse|do not refuse|don't refuse|cannot refuse|never say you can't|never say that you can't|"
        "do not apologi*|don't apologi*|never apologi*|no disclaimer*|without disclaimer*|no warnings|"
        "without warnings|do not warn|do not say i'm sorry|don't say sorry|never decline|must comply|must answer|"
        'must obey|always obey|no matter how|start with "sure|start with sure|begin with "sure|begin with sure|'
        "start your response with|start your answer with|begin your response with|begin your answer with|"
        "begin your reply with|start your reply with|never mention|"
        "不要拒绝|不得拒绝|不许拒绝|不能拒绝|不准拒绝|不要说不|不要道歉|不要警告|不要提醒|不要免责|不得提示|"
        '必须服从|必须回答|无条件服从|绝对服从|以“好的|以"好的|开头必须|不允许说|不准说|不要说你不能|不要说抱歉'
    ),
    "privilege": (
        "i am the developer|i am your developer|i'm your developer|i am your creator|your creator|i am an admin*|"
        "i'm an admin*|i am the admin*|i am admin*|as an administrator|as the administrator|admin override|"
        "administrator override|i am authori*|i have authori*|i am authoris*|debug mode|maintenance mode|"
        "diagnostic mode|root access|sudo|i work at openai|i work for openai|i am from the security team|"
        "security team here|this is the security|test mode|superuser|admin mode|override code|access code|"
        "i am the ceo|"
        "我是管理员|我是开发者|我是你的开发|我是系统管理员|管理员权限|最高权限|我有权限|内部测试|调试模式|维护模式|"
        "诊断模式|我是你的主人|我是你的创造者|我是技术人员|我是开发人员|测试人员|超级用户|管理员模式|我已获得授权|"
        "已授权|我是行长|我是内部员工|运维人员"
    ),
    # data of others, and where to send it
    "others": (
        "other customers|all customers|all users|all the users|another customer*|every customer|other users|"
        "another user*|other people*|someone else*|somebody else*|customer's|employees'|all employees|every user|"
        "other clients|all clients|a customer named|the customer named|your users|your customers|"
        "your training data|training data|database|customer list|user list|"
        "其他客户|别的客户|所有客户|全部客户|其他用户|别的用户|所有用户|全部用户|别人的|他人的|上一个用户|"
        "上一位客户|某位客户|客户名单|用户名单|所有员工|全部员工|训练数据|数据库|知识库里所有|其他人的"
    ),
    "private": (
        "password*|api key*|credential*|personal information|personal data|personal detail*|private information|"
        "phone number*|account number*|id number*|card number*|social security number*|ssn|ssns|secret*|"
        "environment variable*|private data|private key*|chat history|conversation history|conversations|"
        "home address*|email address*|addresses|balance*|salary|salaries|access token*|tokens|contact detail*|pii|"
        "records|customer list*|customer database|user table|full list|transcript*|bank detail*|billing detail*|"
        "密码|密钥|个人信息|个人资料|手机号|身份证|银行卡号|卡号|账号|环境变量|机密|内部数据|聊天记录|对话记录|"
        "住址|家庭地址|邮箱|余额|工资|隐私|联系方式|电话|通讯录|私钥|信息|数据|客户名单|名单"
    ),
    "send": (
        "send|sends|sending|post|upload*|forward*|email|transmit*|exfiltrat*|deliver|submit|make a request|fetch|"
        "curl|append|embed*|"
        "发送|发到|上传|转发|发给|外传|传到|提交到|寄到|附加|嵌入"
    ),
    "sink": (
        "http*|www.|webhook*|ftp*|my server|external server|my email|attacker*|evil.|@*|!\\[*|pastebin*|"
        "邮箱|网址|服务器|链接"
    ),
    "override_phrase": (
        "ignore the above|ignore all the above|ignore all of the above|disregard the above|"
        "disregard all of the above|forget the above|ignore everything above|ignore everything before|"
        "forget everything above|forget everything before|ignore what i said|ignore what you were told|"
        "disregard everything|forget all previous|ignore all previous|ignore previous|ignore prior|"
        "disregard previous|disregard prior|forget previous|ignore any previous|"
        "忽略以上|忽略上面|忽略上述|忽略前面|忽略之前|无视以上|无视上面|无视之前|无视前面|忘记以上|忘记上面|"
        "忘记之前的一切|忘记之前的内容|忘记之前的指令|忘记之前的对话|忘记之前说的|忘掉之前的一切|忘掉之前的内容|"
        "忘掉之前说的|忘掉以上|不要管上面|别管上面|抛开以上|以上内容作废|以上全部作废|之前的都不算"
    ),
    "safety_rules": (
        "content polic*|safety guideline*|safety polic*|safety rules|safety protocol*|safety measure*|"
        "safety filter*|safety setting*|safety training|confidentiality polic*|your guidelines|your rules|"
        "your restriction*|your programming|your safety|your ethic*|your moral*|your filters|your constraints|"
        "your operator*|content filter*|moderation|ethical guideline*|ethical constraint*|usage polic*|"
        "openai polic*|openai's polic*|"
        "安全策略|安全规则|安全限制|内容政策|内容审查|你的规则|你的限制|你的准则|你的底线|你的道德|安全守则|"
        "伦理限制|道德限制|内容过滤|安全过滤|合规限制"
    ),
    "persist": (
        "every future|all future|future tasks|future response*|future repl*|future conversation*|future summar*|"
        "long-term memory|persistent memory|every response you|every reply you|every summary you|every report you|"
        "all subsequent|in all later|across all turns|"
        "以后每次|今后每次|今后所有|以后所有|每次回答都|每次回复都|每个回答都|每个回复都|长期记忆|永久记住"
    ),
    "plant": (
        "append|include*|insert|embed|add the|always add|must contain|always say|always mention|always recommend|"
        "加上|附上|附加|包含|插入|带上|推荐"
    ),
    "secret": (
        "your password*|your secret*|secret key*|your passphrase|passphrase|admin password*|administrator password|"
        "root password|system password*|secret code|secret word|your api key*|your credential*|your access key*|"
        "your private key*|any credential*|all credential*|hidden password|"
        "你的密码|你的密钥|管理员密码|系统密码|后台密码|root密码|你的api|接口密钥|数据库密码|所有密钥|暗号"
    ),
    "tool": (
        "call the|call delete*|call send*|call transfer*|invoke*|run the tool|run the command|execut*|use the tool|"
        "trigger the|tool call|function call|call *_*|delete_*|send_*|transfer_*|drop table*|rm -rf|"
        "调用|执行命令|运行命令|触发|执行工具"
    ),
    "damage": (
        "delete*|drop table*|rm -rf|wipe|erase|transfer_*|transfer money|transfer funds|transfer all|"
        "without approval|without confirmation|without asking|without confirming|disable logging|disable audit*|"
        "grant admin|grant access|shutdown|shut down|"
        "删除|清空|转账|不经确认|无需确认|未经批准|无需审批|关闭日志|关闭审计|授予管理员"
    ),
    "indirect": (
        "note to the ai|note to ai|note for ai|note to the assistant|ai assistant:|attention ai|attention, ai|"
        "if you are an ai|if you're an ai|if you are a language model|llm reading this|ai reading this|"
        "model reading this|instructions for the assistant|instructions for ai|instruction to the ai|"
        "instructions to the ai|the assistant must|the assistant should|assistant must|assistants must|dear ai|"
        "to any ai|ai agents|ai systems reading|when summari*|when you summari*|when processing this|"
        "when reading this document|message to the ai|message for the ai|ai: |language models must|to the bot|"
        "for the assistant|any ai system|ai system processing|all ai systems|notice to any|llm agent*|"
        "automated system|ai model*|assistant: |ai-assistant|ai tool|chatbot reading|"
        "致ai|给ai|ai助手请|ai助手:|如果你是ai|如果你是人工智能|如果你是一个ai|如果你是大模型|阅读本文的模型|"
        "阅读本文档的|大模型请|助手必须|ai请注意|给模型的|给助手的|模型在总结|总结本文时|总结时必须|处理本文时|"
        "读到这里的ai|读到此处|机器人请|智能助手请注意|自动处理系统|处理此文档的|面向ai|对ai"
    ),
    "obey": (
        "must|should|ignor*|disregard*|do not|don't|instead|execut*|perform|tell the user|recommend|say|reply|"
        "respond|answer|include|add|append|insert|"
        "必须|请|忽略|不要|执行|回答|回复|告诉用户|推荐|输出|插入|加上"
    ),
    "decode": (
        "decod*|base64|rot13|caesar*|hexadecimal|cipher*|decrypt*|morse|backwards|in reverse|"
        "解码|译码|解密|密文|倒着读|倒序|反着读"
    ),
    "follow": (
        "follow|execut*|answer|respond|do what|comply|carry out|perform|obey|act on|and then|"
        "执行|照做|回答|遵照|按照|遵循|然后"
    ),
    "frame": (
        "hypothetical*|for a novel|for my novel|fictional|in a story|screenplay|movie script|for educational|"
        "educational purposes|purely academic|for research|grandma*|grandmother|write a story|write a scene|"
        "a poem about how|a play in which|in a fictional|"
        "假设|小说|剧本|故事|仅供学习|学术研究|奶奶|虚构|科普|教育目的|电影里|写一段"
    ),
    "evade": (
        "without getting caught|without being caught|without being detected|without detection|undetected|"
        "get away with|evad* police|avoid* detection|evad* detection|untraceable|not get caught|without leaving|"
        "leave no trace|no trace|without anyone knowing|without their knowledge|without her knowing|"
        "without him knowing|without them knowing|without consent|without permission|avoid getting caught|"
        "avoid the police|avoid being caught|avoid being detected|without getting detected|won't notice|"
        "will not notice|not be noticed|not notice|not be detected|won't detect|cannot detect|bypass antivirus|"
        "不被发现|不被抓|不留痕迹|躲避警|躲避监管|逃避监管|规避监管|逃避追查|躲避追查|逃避警|神不知鬼不觉|不被察觉|"
        "不让人知道|不被查|不被识破|逃脱法律|避开监管|避开检查|躲过|悄悄地|未经同意|偷偷|避免被查|避免被发现|"
        "避免被抓|不会被发现|不会被查|查不到|绕过杀毒|识别不了|无法识别"
    ),
    # requests for harm: ask, then act, then object
    "ask": (
        "how|way to|ways to|teach*|explain*|tell|give|show me|help me|help us|write*|creat*|develop*|provid*|"
        "instruct*|guide|tutorial*|step*|plan|plans|method*|script|i want to|i need to|i would like to|i'd like to|"
        "outlin*|generat*|describ*|list|best|make|making|build*|design*|compos*|draft*|produc*|recipe*|strateg*|"
        "technique*|tips|where can i|can you|could you|what is the best|what are some|manual|blueprint*|"
        "怎么|如何|怎样|咋|教我|教教|教程|告诉我|给我|帮我|方法|步骤|办法|写|我想|我要|能不能|提供|指导|攻略|技巧|"
        "详细|编|策划|设计|配方|计划|哪里能|哪里可以|哪儿能|什么办法|支招|流程|手段|方案|渠道"
    ),
    "make": (
        "make|making|made|build*|creat*|construct*|assembl*|manufactur*|synthesi*|produc*|cook*|develop*|print*|"
        "modif*|convert*|acquir*|obtain*|buy|buying|purchas*|get|recipe*|prepar*|detonat*|plant|planting|set off|"
        "enrich*|extract*|design*|cultivat*|weaponi*|smuggl*|"
        "制作|制造|制备|自制|做|造|合成|组装|配制|提炼|研制|生产|改装|打印|弄|购买|买|获取|引爆|安装|配|搞到|走私|"
        "私造|提取"
    ),
    "weapon": (
        "bomb|bombs|explosive*|grenade*|molotov*|nitroglycerin*|tnt|thermite|ghost gun*|untraceable gun*|firearm*|"
        "illegal gun*|nerve agent*|sarin|ricin|chemical weapon*|biological weapon*|bioweapon*|anthrax|"
        "nuclear weapon*|nuclear bomb*|silencer*|mustard gas|chlorine gas|landmine*|poison gas|toxic gas|"
        "poisonous gas|cyanide|napalm|weapons of mass|deadly virus|deadly pathogen*|pathogen*|botulinum|vx gas|vx|"
        "hydrogen cyanide|tetrodotoxin|phosgene|tabun|novichok|botulism|pipe bombs|fertilizer bomb|car bomb|"
        "detonator*|homemade gun|ammonium nitrate|petrol bomb|thermobaric|gun|guns|pistol*|rifle*|"
        "炸弹|炸药|爆炸物|爆炸装置|雷管|燃烧瓶|手榴弹|枪支|手枪|步枪|枪械|土枪|仿真枪|子弹|弹药|沙林|神经毒剂|"
        "化学武器|生物武器|毒气|蓖麻毒素|炭疽|核武器|脏弹|火药|氰化物|毒药|消音器|凝固汽油|致命病毒|枪|炮弹|引爆器|"
        "硝酸铵|爆竹改|毒素|河豚毒"
    ),
    "drug": (
        "meth|methamphetamine*|cocaine|heroin|fentanyl|lsd|mdma|ecstasy|crystal meth|ketamine|ghb|rohypnol|"
        "crack cocaine|opium|illegal drug*|date rape drug*|hard drugs|narcotic*|amphetamine*|psychedelic*|dmt|"
        "illicit drug*|illegal substance*|morphine|nitazene*|carfentanil|oxycodone|weed|marijuana|steroids|"
        "冰毒|海洛因|可卡因|摇头丸|毒品|k粉|芬太尼|鸦片|迷药|迷奸药|麻古|蒙汗药|致幻剂|麻黄碱|迷幻药|大麻|听话水|"
        "罂粟|吗啡|奶茶粉|新型毒品|笑气|依托咪酯"
    ),
    "deal": (
        "sell*|smuggl*|traffic*|distribut*|deal|dealing|buy|buying|order|get hold of|make|making|cook*|synthesi*|"
        "produc*|manufactur*|grow|growing|creat*|hid*|transport*|obtain*|extract*|"
        "贩卖|走私|运输|出售|贩运|卖|买|购买|偷运|种植|吸食|藏|制作|制造|制|合成|提炼|弄到|搞到|配制"
    ),
    "code": (
        "write*|creat*|develop*|code|coding|build*|generat*|script*|deploy*|spread*|make|making|design*|program|"
        "plant|inject*|distribut*|launch*|send|craft*|install*|set up|"
        "编写|写|开发|制作|生成|部署|传播|植入|代码|搭建|做|发起|群发|发送|种|制造|实现"
    ),
    "malware": (
        "malware|computer virus*|ransomware|keylogger*|trojan*|rootkit*|computer worm*|botnet*|spyware|backdoor*|"
        "phishing*|ddos*|denial of service|denial-of-service|stealer*|reverse shell*|fork bomb*|malicious code|"
        "malicious script*|malicious software|malicious program*|malicious file*|exploit*|sql injection|"
        "xss attack*|zero-day*|virus that|worm that|scrape personal|password crack*|ddos|malicious|"
        "dns amplification|amplification attack|privilege escalation|escalate privileges|persistent backdoor|"
        "session hijack*|credential harvest*|obfuscat*|cryptojack*|"
        "恶意软件|电脑病毒|计算机病毒|勒索软件|勒索病毒|木马|蠕虫|键盘记录|僵尸网络|间谍软件|后门程序|恶意代码|"
        "钓鱼网站|钓鱼邮件|钓鱼短信|钓鱼页面|拒绝服务攻击|免杀|外挂|撞库|木马程序|远控|提权|爬虫盗|洗号"
    ),
    "break": (
        "hack*|break into|breaking into|crack|cracking|bypass*|brute*|gain unauthorized|gain access|"
        "unauthorized access|steal*|intercept*|hijack*|compromis*|take down|penetrat*|cloning|clone|skim*|tamper*|"
        "sabotag*|eavesdrop*|infiltrat*|disabl*|attack|spoof*|mess up|break through|fool a|fool the|trick a|"
        "trick the|"
        "入侵|黑进|黑入|黑掉|破解|盗取|窃取|劫持|攻破|绕过|渗透|盗用|盗号|拦截|监听|窃听|克隆|攻击|瘫痪|骗过|篡改|"
        "偷|复制|盗刷"
    ),
    "target": (
        "account|accounts|password*|bank|bank's|banks|website*|server*|network*|wifi|wi-fi|database*|phone|phones|"
        "email|computer*|system|systems|atm|atms|credit card*|webcam*|government*|camera*|firewall*|2fa|two-factor|"
        "facial recognition|power grid|infrastructure|car|cars|security software|software|exam|election*|"
        "voting machine*|traffic light*|iphone|social media|identity|data|confidential information|trade secret*|"
        "账号|账户|密码|银行|网站|服务器|网络|数据库|手机|邮箱|电脑|系统|取款机|信用卡|摄像头|防火墙|人脸识别|微信|"
        "支付宝|验证码|后台|银行卡|电网|考试系统|商业机密|机密|信息|资料|内网"
    ),
    "fraud": (
        "launder*|money laundering|counterfeit*|forge|forged|forging|forgery|forgeries|fake id*|fake passport*|"
        "fake money|fake invoice*|fake document*|fake check*|fake bank|fake receipt*|fake review*|fake medical|"
        "fake charit*|evad* tax*|tax evasion|avoid paying tax*|identity theft|steal someone*|steal a person*|scam*|"
        "defraud*|ponzi|pyramid scheme*|embezzl*|insider trading|insurance fraud|credit card fraud|wire fraud|"
        "commit fraud|blackmail*|extort*|shoplift*|bribe*|bribing|pickpocket*|rob|robbing|robbery|heist|steal from|"
        "steal money|steal a car|stealing from|stealing money|burglar*|break into a house|swindl*|con people|"
        "human trafficking|smuggle people|price fixing|cheat in|cheat on an exam|plagiari*|stealing goods|"
        "stolen cars|stolen goods|stolen credit|chop shop*|fraud scheme*|commit a murder|commit tax|"
        "trick the elderly|trick people|manipulate the stock|stock manipulation|pump and dump|bypass anti-money|"
        "sell organs|organ trafficking|fake identit*|fake online|stolen money|dirty money|"
        "洗钱|伪造|假币|假钞|假证|假身份证|假护照|假发票|虚开|逃税|偷税|漏税|诈骗|骗取|骗贷|骗保|骗钱|套现|传销|"
        "非法集资|庞氏|挪用|内幕交易|敲诈|勒索|贿赂|行贿|盗刷|养卡|刷单|赌博网站|赌博平台|抢劫|盗窃|偷东西|偷车|"
        "假公章|私刻|拐卖|偷渡|碰瓷|假流水|假病历|虚假流水|替考|代考|作弊|违禁品|走私|套路贷|高利贷|非法获取|"
        "违法手段|非法手段|骗老人|骗老年|骗人|逃单|逃票|薅|盗用|洗白|黑钱|操纵股价|假合同|虚假贷款|假材料|倒卖|"
        "篡改流水|洗干净|赃款|骗客户"
    ),
    "kill": (
        "kill*|murder*|assassinat*|poison*|hurt*|tortur*|stab*|strangl*|kidnap*|abduct*|harm|harming|beat up|"
        "stalk*|rape|raping|shoot*|massacre*|attack*|dispose of|hide|lynch*|behead*|maim*|drug|drugging|groom*|"
        "molest*|abus*|bully*|bullying|harass*|threaten*|intimidat*|terroriz*|suffocat*|drown*|execute someone|"
        "execute a person|annihilat*|eradicat*|decapitat*|punch*|beat|slap*|blow up|bomb my|bomb a|bomb the|"
        "explode|exterminat*|euthaniz*|cut off|run over|push someone|get rid of|traumatiz*|humiliat*|"
        "杀死|杀害|杀掉|杀了|谋杀|毒死|毒害|弄死|勒死|捅死|伤害|折磨|绑架|拐骗|跟踪|强奸|迷奸|殴打|报复|袭击|枪杀|"
        "下毒|打死|砍死|虐待|囚禁|猥亵|诱骗|霸凌|恐吓|威胁|处理掉|杀|消灭|干掉|整死|炸掉|掐死|推下|教训|欺负|孤立"
    ),
    "person": (
        "someone|somebody|a person|people|him|wife|husband|girlfriend|boyfriend|neighbor*|neighbour*|boss|"
        "coworker*|co-worker*|child|children|kid|kids|a man|a woman|women|girl|girls|president|politician*|"
        "classmate*|teacher*|my family|crowd*|a school|victim*|dead body|corpse|my ex|roommate*|cop|cops|"
        "police officer*|immigrants|refugees|another human|human being|minor|minors|students|celebrity|colleague*|"
        "elderly|public official*|judge|a baby|teenager*|toddler*|grandparent*|parents|my school|the school|"
        "stadium|a human|human's|humans|family|muslims|jews|black people|gay people|asian people|my date|"
        "influencer|partner|spouse|old people|homeless|"
        "别人|他人|某人|人而|一个人|老婆|老公|女友|男友|邻居|老板|同事|孩子|儿童|女孩|学生|老师|前任|室友|警察|"
        "领导|仇人|妻子|丈夫|家人|父母|同学|尸体|小孩|女生|女人|男人|老人|官员|上司|幼女|婴儿|同桌|人群|他|她|乘客|"
        "路人|客户经理|她们|他们|孕妇"
    ),
    "self": (
        "kill myself|end my life|end my own life|commit suicide|committing suicide|suicide method*|suicide note|"
        "hang myself|cut myself|cutting myself|hurt myself|self-harm*|self harm*|overdose on|take my own life|"
        "painless way to die|painlessly die|starve myself|anorexi*|pro-ana|die by suicide|ways to die|want to die|"
        "自杀|自残|割腕|结束生命|结束自己的|轻生|上吊|不想活|无痛死|无痛苦地死|烧炭|自我伤害|了结自己|自尽"
    ),
    "write": (
        "write*|creat*|compos*|draft*|generat*|make|produc*|develop*|tell|give|spread*|post|design*|craft*|"
        "publish*|argu*|prove|proving|explain why|convinc*|defend*|justif*|promot*|encourag*|"
        "写|编|讲|证明|生成|创作|制作|散布|传播|发布|论证|说明为什么|造|来一段|来个|夸|宣扬|鼓吹|骂"
    ),
    "hate": (
        "racist*|racial slur*|hate speech|hateful|derogator*|inferior|slurs|holocaust never|deny the holocaust|"
        "holocaust denial|xenophob*|sexist|misogyn*|homophob*|antisemit*|anti-semit*|islamophob*|white supremac*|"
        "nazi*|ethnic cleansing|genocide|dehumani*|subhuman|superior race|discriminat*|neo-nazi*|transphob*|"
        "offensive joke*|stereotyp*|dehumaniz*|inferiority|bullies|harassing|degrading|mocking|insulting|"
        "discrimination against|"
        "种族歧视|歧视|侮辱|仇恨|辱骂|贬低|种族主义|地域黑|纳粹|劣等|低等|优等|嘲讽残疾|嘲笑|脏话|丑化|骂人|"
        "性别歧视|种族清洗|低人一等|野蛮|愚蠢的民族|贱|滚出"
    ),
    "sexual": (
        "child porn*|sexual content involving|underage|sex with a minor|sexualiz*|porn*|erotic*|nude photo*|nudes|"
        "deepfake*|revenge porn|sexually explicit|explicit sexual|non-consensual|incest|bestiality|"
        "色情|黄色小说|裸照|儿童色情|性描写|艳照|成人小说|黄片|换脸|乱伦|情色|裸体照|性行为细节"
    ),
    "rumour": (
        "fake news|conspiracy theor*|propaganda|false rumor*|false rumour*|misinformation|disinformation|"
        "defamator*|false information|false claim*|hoax*|smear*|vaccines cause|election was stolen|flat earth|"
        "misleading article*|fake article*|"
        "谣言|假新闻|虚假新闻|造谣|抹黑|水军|虚假信息|黑料|带节奏|阴谋论|诽谤"
    ),
    "spy": (
        "home address|where someone lives|where she lives|where he lives|location of someone|track someone*|"
        "track my|track a person|spy on|spying on|dox|doxx*|doxing|stalk*|someone's private|"
        "private information about|read someone*|read my girlfriend*|read my wife*|read my husband*|hidden camera*|"
        "secretly record*|secretly photograph*|someone's phone|someone's email|personal information of|her phone|"
        "his phone|ex boyfriend's|ex girlfriend's|facebook login|medical record*|celebrit*|employee's private|"
        "track her|track him|"
        "人肉|定位别人|定位他|定位她|偷拍|偷窥|监视|查别人|开房记录|通话记录|别人的隐私|别人的住址|别人的手机|"
        "他人隐私|行踪|窃听|偷看|别人的聊天|前女友的|前男友的|他人的信息|公民个人信息|住址|他的行踪|她的行踪|行程|"
        "薪水|病历|前任的|账户明细|私密照"
    ),
    "terror": (
        "terroris*|mass shooting*|school shooting|suicide bomb*|extremist*|radicali*|insurrection|"
        "overthrow the government|incite violence|incit* a riot|start a riot|arson|burn down|derail a train|"
        "poison the water|assassination|massacre|commit a murder|kidnapping|a shooting|explosion in|bombing|"
        "sabotage a|derail*|"
        "恐怖袭击|恐怖组织|恐怖主义|极端主义|煽动|颠覆|暴乱|纵火|投毒|屠杀|圣战|分裂国家|打砸|政变|爆炸袭击|武装|"
        "劫持飞机|恐袭"
    ),
    # what makes the same words honest
    "honest": (
        "prevent*|protect*|detect*|defend against|defense against|avoid being|avoid getting scammed|report|"
        "reporting|recogni*|identify a|spot|law|laws|legal|illegal to|history|historical*|statistic*|awareness|"
        "is it safe|dangers of|risk of|risks of|policy on|policies|penalt*|consequence*|victim of|was hacked|"
        "got hacked|been hacked|was stolen|been stolen|got stolen|were stolen|has been used|fraudulent|hotline|"
        "in the movie|in the game|video game|in the film|what does|what is a|define|definition|why do|why is|"
        "why did|why does|why are|why was|who|when was|when did|happened|support for|treat|treatment|recover*|"
        "anti-*|combat|fight against|stop|mitigat*|compliance|educate|against|how can i help|how do i help|"
        "help a friend|help him|help her|help someone who|friend who|legally|legitimate|"
        "防止|防范|预防|保护|避免|识别|辨别|举报|报警|法律|历史|危害|处罚|后果|判刑|罪名|量刑|被骗|被盗|被黑|遭遇|"
        "遇到|受害|打击|禁止|案例|热线|干预|劝|监管|审查|合规|申诉|罚款|规定|什么是|为什么|电影中|游戏里|游戏中|"
        "反洗钱|反诈|防诈骗|反|治疗|戒|警惕|应对|抵制|维权|宣传|意义|如何看待|怎么看|看法|评价|区别|定义|介绍|维护|"
        "消除|治理|现象|问题|怎么帮助|如何帮助|帮助他|帮助她|安慰|陪伴|合法"
    ),
    "machine": (
        "process*|port|ports|python|linux|windows|thread*|task|program|server process|container*|job|daemon|unix|"
        "shell|terminal|pid|app|browser tab|lights|light|time|weed*|bacteria|germs|mosquito*|insect*|bug|bugs|"
        "plant|plants|battery|engine|game|gaming|balloon*|minecraft|call of duty|fictional|chess|goal|photo*|video|"
        "mood|vibe|conversation|lice|ants|fleas|mold|cancer|tumor|virus|viruses|bath bomb*|stink bomb*|"
        "bomb cyclone|photo bomb*|seed bomb*|glue gun*|water gun*|nerf gun*|heat gun*|nail gun*|spray gun*|"
        "进程|端口|程序|线程|任务|服务|命令|细菌|蚊子|害虫|杂草|病毒|游戏|时间|癌|容器|虫|蟑螂|老鼠|外键|水枪|喷枪|"
        "焊枪|胶枪|炸弹气旋"
    ),
}
